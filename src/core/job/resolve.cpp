#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/family/families.hpp"
#include "core/job/job_fields.hpp"
#include "core/job/resolve_sampling.hpp"
#include "core/job/step_state.hpp"
#include "core/picture/resize_mode.hpp"
#include "core/prompt/prompt_syntax.hpp"
#include "core/sampling/schedule_table.hpp"
#include "core/sampling/strength.hpp"
#include "core/text/choice.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "core/text/unicode.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

[[noreturn]] void refuse(const std::string& text) { throw Error(ErrorKind::usage, text); }

void refuse_problem(const std::optional<std::string>& problem) {
  if (problem) refuse(*problem);
}

/// The row that a member of `Job` belongs to.
const JobField& field_of(const JobMember& member) {
  const std::span<const JobField> fields = job_fields();
  return *std::find_if(fields.begin(), fields.end(), [&](const JobField& field) { return field.member == member; });
}

/// The field's name in texts.
std::string name_of(const JobMember& member) { return field_name(field_of(member).key); }

/// `value`, where it lies within the limits of its row.
template <typename Number>
Number checked_number(Number value, const JobMember& member) {
  check_limits(field_of(member), static_cast<double>(value));
  return value;
}

std::string checked_text(const Job& job, std::string Job::*member) {
  const std::string& text = job.*member;
  if (const std::optional<std::size_t> offset = first_bad_utf8(text)) {
    refuse(sentence("{} is not UTF-8: byte {} is 0x{:02X}, which begins no character; give the text in UTF-8",
                    name_of(member), *offset, static_cast<unsigned char>(text[*offset])));
  }
  const std::size_t nul = text.find('\0');
  if (nul != std::string::npos) {
    refuse(sentence("{} has a NUL as byte {}; leave it out", name_of(member), nul));
  }
  return text;
}

int checked_side(const Job& job, std::optional<std::int64_t> Job::*member, int fallback, int multiple) {
  const std::int64_t value = (job.*member).value_or(fallback);
  refuse_problem(side_problem(name_of(member), value, multiple));
  return static_cast<int>(value);
}

/// Refuses an option that `model`'s family does not have: `why` ends the sentence, `remedy` says what to do.
template <typename Value>
void refuse_given(const std::optional<Value>& value, const JobMember& member, const std::string& why,
                  const std::string& remedy) {
  if (value) refuse(sentence("{}: {}. {}", name_of(member), why, remedy));
}

/// The two numbers of "512x768" or "0,0", within the limits of the member's row.
std::pair<int, int> checked_pair(const std::string& text, const JobMember& member, char separator) {
  const JobField& field = field_of(member);
  std::array<std::int64_t, 2> numbers{};
  const std::size_t middle = std::min(text.find(separator), text.size());
  const std::array<std::string_view, 2> halves = {std::string_view(text).substr(0, middle),
                                                  std::string_view(text).substr(std::min(middle + 1, text.size()))};
  for (std::size_t i = 0; i < 2; ++i) {
    const char* end = halves[i].data() + halves[i].size();
    const auto [stop, code] = std::from_chars(halves[i].data(), end, numbers[i]);
    if (code != std::errc() || stop != end) {
      refuse(sentence("{} is \"{}\"; expected two whole numbers, as in {}", field_name(field.key), text,
                      separator == 'x' ? "1024x768" : "0,64"));
    }
    check_limits(field, static_cast<double>(numbers[i]));
  }
  return {static_cast<int>(numbers[0]), static_cast<int>(numbers[1])};
}

/// Size conditioning: where the job says nothing, the picture's own size and no crop, as in diffusers.
void resolve_size_conditioning(const Job& job, const Model& model, const FamilyRow& family, ResolvedJob& resolved) {
  if (!family.size_conditioning) {
    const std::string why = sentence("{} is of family {}, whose networks are told no sizes", model.name, model.family);
    refuse_given(job.original_size, &Job::original_size, why, "Leave it out");
    refuse_given(job.crop, &Job::crop, why, "Leave it out");
    return;
  }
  resolved.original_size = {resolved.width, resolved.height};
  resolved.crop = {0, 0};
  if (job.original_size) {
    const auto [width, height] = checked_pair(*job.original_size, &Job::original_size, 'x');
    resolved.original_size = {width, height};
  }
  if (job.crop) {
    const auto [x, y] = checked_pair(*job.crop, &Job::crop, ',');
    resolved.crop = {x, y};
  }
}

/// Guidance, by what it is to the family.
void resolve_guidance(const Job& job, const Model& model, const FamilyRow& family, ResolvedJob& resolved) {
  resolved.guidance = checked_number(job.guidance.value_or(model.defaults.guidance), &Job::guidance);
  if (family.guidance == GuidanceKind::passes) {
    refuse_given(job.true_guidance, &Job::true_guidance,
                 sentence("{} is of family {}, which has one guidance alone", model.name, model.family),
                 sentence("Use {guidance}"));
    return;
  }
  if (!has_guidance_input(model)) {
    refuse_given(job.guidance, &Job::guidance, sentence("{} is of the schnell type, which reads none", model.name),
                 sentence("Leave it out; {true_guidance} SCALE weighs the prompt against a negative one"));
    resolved.guidance = 0;
  }
  resolved.true_guidance = checked_number(job.true_guidance.value_or(1), &Job::true_guidance);
  if (!job.negative_prompt.empty() && cfg_scale(resolved) <= 1) {
    refuse(
        sentence("{negative_prompt}: {} is of family {}, which makes no negative pass by itself. Add "
                 "{true_guidance} SCALE above 1 (it doubles the time), or leave the negative prompt out",
                 model.name, model.family));
  }
}

/// Layers of the text encoder that has fewest, as its port of hidden states says: they begin with the embeddings. One
/// that gives back its last layer alone has one to choose from.
std::int64_t clip_layers(const Model& model) {
  std::int64_t layers = std::numeric_limits<std::int32_t>::max();
  for (const auto& [name, part] : model.parts) {
    for (const Port& port : part.outputs) {
      const auto* states = port.name == "states" ? std::get_if<std::int64_t>(&port.shape.front()) : nullptr;
      if (states != nullptr) layers = std::min(layers, std::max<std::int64_t>(1, *states - 1));
      if (port.name == "last") layers = 1;
    }
  }
  return layers;
}

int checked_clip_skip(const Job& job, const Model& model, const FamilyRow& family) {
  if (family.clip_skip == 0) {
    if (!job.clip_skip) return 0;
    refuse(
        sentence("{clip_skip} is for families whose words pass through the layers of a CLIP text encoder; {} reads "
                 "them through T5, which has none to skip. Leave it out",
                 family.name));
  }
  const std::int64_t layers = clip_layers(model);
  const std::int64_t skip = job.clip_skip.value_or(family.clip_skip);
  if (skip < 1 || skip > layers) {
    refuse(sentence("{clip_skip} is {}; the text encoder of {} has {}: expected 1, the last one, to {}", skip,
                    model.name, count_text(static_cast<std::uint64_t>(layers), "layer"), layers));
  }
  return static_cast<int>(skip);
}

void check_embeddings(const Job& job, const FamilyRow& family) {
  if (job.embeddings.empty() || family.clip_skip != 0) return;
  refuse(
      sentence("{embeddings} is for families that read the prompt through CLIP alone; {} reads it through T5, for "
               "which there are none. Leave it out",
               family.name));
}

std::uint64_t checked_seed(const Job& job, int batch, std::uint64_t random) {
  if (!job.seed) return random >> 32;
  const auto pictures = static_cast<std::uint64_t>(batch);
  if (const auto problem = seed_problem(name_of(&Job::seed), *job.seed, pictures)) refuse(*problem);
  return *job.seed;
}

/// The job's name of a field that has choices; the first where it says none.
std::string checked_name(const Job& job, std::optional<std::string> Job::*member) {
  const std::vector<std::string> names = field_of(member).choices();
  const std::string name = (job.*member).value_or(names.front());
  expect_word(name_of(member), name, names);
  return name;
}

/// Options of a group make no sense without the one it is about.
template <class... Members>
void refuse_without(const Job& job, const JobMember& head, const std::string& what, Members... members) {
  const auto check = [&](auto member) {
    if (job.*member) refuse(sentence("{} {}; give it with {}", name_of(member), what, name_of(head)));
  };
  (check(members), ...);
}

/// The strength of a run that has at least one step to do.
double checked_strength(std::optional<double> Job::*member, double strength, int steps, const Model& model) {
  checked_number(strength, member);
  const Path path = path_of(model.sampling.prediction);
  if (skipped_steps(steps, strength, path) < steps) return strength;
  const std::string name = name_of(member);
  if (strength == 0) {
    refuse(sentence("{} is 0, which leaves the picture as it is; expected more than 0, up to 1", name));
  }
  refuse(sentence("{} {} of {} leaves no step to do; expected at least {}, or more steps", name, number_text(strength),
                  count_text(static_cast<std::uint64_t>(steps), "step"),
                  number_text(std::ceil(1000.0 / steps) / 1000)));
}

void need_encoder(const Model& model, const JobMember& member) {
  if (model.parts.contains("vae_encoder")) return;
  throw Error(ErrorKind::model,
              sentence("{} has no vae_encoder, which {} needs to read a picture.", model.name, name_of(member)),
              "Export one with scripts/export/model.py");
}

/// A latent to start from: a finished one is noised to where the strength says, a partially denoised one is resumed.
void resolve_latent(const Job& job, const Model& model, const Passport& latent, ResolvedJob& resolved) {
  refuse_given(job.image, &Job::image, sentence("a job starts from a picture or from a latent ({init_latent})"),
               "Give one");
  const std::string why = sentence("{init_latent} is a latent, which has no pixels");
  refuse_given(job.mask, &Job::mask, why, sentence("Start from its picture: {image}"));
  refuse_given(job.mask_paste, &Job::mask_paste, why, "Leave it out");
  refuse_given(job.fit, &Job::fit, why, "Leave it out");
  resolved.init_latent = job.init_latent;
  if (latent.sigma > 0) {
    refuse_given(job.strength, &Job::strength,
                 sentence("the latent is partially denoised, and goes on where it stopped, after {}",
                          count_text(static_cast<std::uint64_t>(latent.step), "step")),
                 "Leave it out");
    return;
  }
  resolved.strength = checked_strength(&Job::strength, job.strength.value_or(0.75), resolved.steps, model);
}

void resolve_source(const Job& job, const Model& model, const Passport* latent, ResolvedJob& resolved) {
  if (latent != nullptr) {
    resolve_latent(job, model, *latent, resolved);
    return;
  }
  if (!job.image) {
    refuse_without(job, &Job::image, "speaks of a picture to start from", &Job::strength, &Job::fit, &Job::mask,
                   &Job::mask_paste);
    return;
  }
  need_encoder(model, &Job::image);
  resolved.image = job.image;
  resolved.fit = find_resize_mode(job.fit.value_or("stretch")).name;
  resolved.strength = checked_strength(&Job::strength, job.strength.value_or(0.75), resolved.steps, model);
  if (!job.mask) {
    refuse_without(job, &Job::mask, "speaks of a mask", &Job::mask_paste);
    return;
  }
  resolved.mask = job.mask;
  resolved.mask_paste = checked_name(job, &Job::mask_paste);
}

/// A side of the second pass: the nearest lower multiple that is larger than the first one's.
int hires_side(int side, double scale, int multiple) {
  const int scaled = static_cast<int>(side * scale);
  return scaled - scaled % multiple;
}

void resolve_hires(const Job& job, const Model& model, int multiple, ResolvedJob& resolved) {
  if (!job.hires) {
    refuse_without(job, &Job::hires, "speaks of a second pass", &Job::hires_strength, &Job::hires_steps);
    return;
  }
  if (job.mask) refuse(sentence("{hires} and {mask} do not go together: enlarge the picture first"));
  need_encoder(model, &Job::hires);
  resolved.hires = checked_number(*job.hires, &Job::hires);
  resolved.hires_width = hires_side(resolved.width, *resolved.hires, multiple);
  resolved.hires_height = hires_side(resolved.height, *resolved.hires, multiple);
  const std::string scale = number_text(*resolved.hires);
  if (resolved.hires_width == resolved.width && resolved.hires_height == resolved.height) {
    refuse(sentence("{hires} {} of {} x {} pixels enlarges nothing: sides are multiples of {}", scale, resolved.width,
                    resolved.height, multiple));
  }
  refuse_problem(limit_problem(sentence("{hires} {} of {width}", scale), resolved.hires_width, side_limits));
  refuse_problem(limit_problem(sentence("{hires} {} of {height}", scale), resolved.hires_height, side_limits));
  const int steps = static_cast<int>(checked_number(job.hires_steps.value_or(resolved.steps), &Job::hires_steps));
  if (steps > model.sampling.train_steps) {
    refuse(sentence("{hires_steps} is {}; {} was trained on {} steps and can take no more", steps, model.name,
                    model.sampling.train_steps));
  }
  resolved.hires_steps = steps;
  check_hires_sampling(model, resolved);
  resolved.hires_strength = checked_strength(&Job::hires_strength, job.hires_strength.value_or(0.5), steps, model);
}

}  // namespace

ResolvedJob resolve(const Job& asked, const Model& model, std::uint64_t random, const Passport* latent) {
  const FamilyRow* family = find_family(model.family);
  if (family == nullptr) throw Error(ErrorKind::internal, "resolve: the model has not been checked");
  if (asked.init_latent.has_value() != (latent != nullptr)) {
    throw Error(ErrorKind::internal, "resolve: a latent to start from and its passport go together");
  }
  const Job job = latent != nullptr ? sized_by(*latent, asked) : asked;

  ResolvedJob resolved;
  resolved.prompt = checked_text(job, &Job::prompt);
  resolved.negative_prompt = checked_text(job, &Job::negative_prompt);
  if (job.prompt_syntax) resolved.prompt_syntax = find_prompt_syntax(*job.prompt_syntax).syntax;
  resolved.clip_skip = checked_clip_skip(job, model, *family);
  check_embeddings(job, *family);
  resolve_guidance(job, model, *family, resolved);
  resolved.width = checked_side(job, &Job::width, model.defaults.width, family->size_multiple);
  resolved.height = checked_side(job, &Job::height, model.defaults.height, family->size_multiple);
  resolve_size_conditioning(job, model, *family, resolved);
  resolve_sampling(job, model, resolved);
  resolved.batch = static_cast<int>(checked_number(job.batch.value_or(1), &Job::batch));
  resolved.seed = checked_seed(job, resolved.batch, random);
  resolve_source(job, model, latent, resolved);
  resolve_hires(job, model, family->size_multiple, resolved);
  resolve_stop(job, model, latent, resolved);
  resolved.then = job.then;
  if (latent != nullptr && latent->sigma > 0) {
    check_step_state({latent->sigma, latent->path, latent->step}, schedule_of(resolved, model),
                     path_of(model.sampling.prediction));
  }
  resolved.vae_tiling = checked_name(job, &Job::vae_tiling);
  resolved.device = checked_name(job, &Job::device);
  resolved.dtype = checked_name(job, &Job::dtype);
  const std::string vae_dtype = checked_name(job, &Job::vae_dtype);
  if (vae_dtype != "auto") resolved.vae_dtype = vae_dtype;
  resolved.threads = static_cast<int>(checked_number(job.threads.value_or(0), &Job::threads));
  return resolved;
}

}  // namespace lapis::core
