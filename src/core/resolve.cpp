#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/families.hpp"
#include "core/fit.hpp"
#include "core/job_fields.hpp"
#include "core/samplers.hpp"
#include "core/schedules.hpp"
#include "core/strength.hpp"
#include "core/suggest.hpp"
#include "core/unicode.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

[[noreturn]] void refuse(const std::string& text) { throw Error(ErrorKind::usage, text); }

void refuse_problem(const std::optional<std::string>& problem) {
  if (problem) refuse(*problem);
}

/// The row that a member of `Job` belongs to.
const JobField& row_of(const JobMember& member) {
  const std::span<const JobField> fields = job_fields();
  return *std::find_if(fields.begin(), fields.end(), [&](const JobField& field) { return field.member == member; });
}

std::string flag_of(const JobMember& member) { return std::string(long_flag(row_of(member))); }

/// `value`, where it lies within the limits of its row.
template <typename Number>
Number checked_number(Number value, const JobMember& member) {
  const JobField& field = row_of(member);
  refuse_problem(limit_problem(long_flag(field), static_cast<double>(value), field.limits.value()));
  return value;
}

std::string hexadecimal(char byte) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  const auto value = static_cast<unsigned char>(byte);
  return {'0', 'x', digits[value / 16], digits[value % 16]};
}

std::string checked_text(const Job& job, std::string Job::*member) {
  const std::string& text = job.*member;
  if (const std::optional<std::size_t> offset = first_bad_utf8(text)) {
    refuse(flag_of(member) + " is not UTF-8: byte " + std::to_string(*offset) + " is " + hexadecimal(text[*offset]) +
           ", which begins no character; give the text in UTF-8");
  }
  const std::size_t nul = text.find('\0');
  if (nul != std::string::npos) {
    refuse(flag_of(member) + " has a NUL as byte " + std::to_string(nul) + "; leave it out");
  }
  return text;
}

int checked_side(const Job& job, std::optional<std::int64_t> Job::*member, int fallback, int multiple) {
  const std::int64_t value = (job.*member).value_or(fallback);
  refuse_problem(side_problem(flag_of(member), value, multiple));
  return static_cast<int>(value);
}

int checked_steps(const Job& job, const Model& model) {
  const std::int64_t steps = checked_number(job.steps.value_or(model.defaults.steps), &Job::steps);
  if (steps > model.sampling.train_steps) {
    refuse(flag_of(&Job::steps) + " is " + std::to_string(steps) + "; " + model.name + " was trained on " +
           std::to_string(model.sampling.train_steps) + " steps and can take no more");
  }
  return static_cast<int>(steps);
}

std::int64_t checked_seed(const Job& job, int batch, std::uint64_t random) {
  if (job.seed.value_or(-1) < 0) return static_cast<std::int64_t>(random >> 32);
  const std::int64_t highest = std::numeric_limits<std::int64_t>::max() - (batch - 1);
  if (*job.seed > highest) {
    refuse(flag_of(&Job::seed) + " is " + std::to_string(*job.seed) + "; with " + std::to_string(batch) +
           " pictures it can be at most " + std::to_string(highest));
  }
  return *job.seed;
}

std::string checked_name(const Job& job, std::optional<std::string> Job::*member, std::span<const std::string> names) {
  const std::string name = (job.*member).value_or(names.front());
  if (std::find(names.begin(), names.end(), name) != names.end()) return name;
  refuse(flag_of(member) + " is \"" + name + "\"; expected one of " + listed(names) + "." + did_you_mean(name, names));
}

/// Options of a group make no sense without the one it is about.
template <class... Members>
void refuse_without(const Job& job, const JobMember& head, const std::string& what, Members... members) {
  const auto check = [&](auto member) {
    if (job.*member) refuse(flag_of(member) + " " + what + "; give it with " + flag_of(head));
  };
  (check(members), ...);
}

/// The strength of a walk that has at least one step to do.
double checked_strength(std::optional<double> Job::*member, double strength, int steps, const Model& model) {
  checked_number(strength, member);
  const Path path = path_of(model.sampling.prediction);
  if (skipped_steps(steps, strength, path) < steps) return strength;
  const std::string name = flag_of(member);
  if (strength == 0) refuse(name + " is 0, which leaves the picture as it is; expected more than 0, up to 1");
  refuse(name + " " + number_text(strength) + " of " + std::to_string(steps) +
         " steps leaves no step to do; expected at least " + number_text(std::ceil(1000.0 / steps) / 1000) +
         ", or more steps");
}

void need_encoder(const Model& model, const JobMember& member) {
  if (model.parts.contains("vae_encoder")) return;
  throw Error(ErrorKind::model, model.name + " has no vae_encoder, which " + flag_of(member) +
                                    " needs to read a picture.\nExport one with scripts/export_graphs.py");
}

void resolve_source(const Job& job, const Model& model, ResolvedJob& resolved) {
  static const std::array<std::string, 2> switches = {"on", "off"};
  if (!job.image) {
    refuse_without(job, &Job::image, "speaks of a picture to start from", &Job::strength, &Job::fit, &Job::mask,
                   &Job::mask_paste);
    return;
  }
  need_encoder(model, &Job::image);
  resolved.image = job.image;
  resolved.fit = find_fit(job.fit.value_or("stretch")).name;
  resolved.strength = checked_strength(&Job::strength, job.strength.value_or(0.75), resolved.steps, model);
  if (!job.mask) {
    refuse_without(job, &Job::mask, "speaks of a mask", &Job::mask_paste);
    return;
  }
  resolved.mask = job.mask;
  resolved.mask_paste = checked_name(job, &Job::mask_paste, switches);
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
  const std::string flag = flag_of(&Job::hires);
  if (job.mask) refuse(flag + " and " + flag_of(&Job::mask) + " do not go together: enlarge the picture first");
  need_encoder(model, &Job::hires);
  resolved.hires = checked_number(*job.hires, &Job::hires);
  resolved.hires_width = hires_side(resolved.width, *resolved.hires, multiple);
  resolved.hires_height = hires_side(resolved.height, *resolved.hires, multiple);
  const std::string of = flag + " " + number_text(*resolved.hires) + " of ";
  if (resolved.hires_width == resolved.width && resolved.hires_height == resolved.height) {
    refuse(of + std::to_string(resolved.width) + " x " + std::to_string(resolved.height) +
           " pixels enlarges nothing: sides are multiples of " + std::to_string(multiple));
  }
  refuse_problem(limit_problem(of + flag_of(&Job::width), resolved.hires_width, side_limits));
  refuse_problem(limit_problem(of + flag_of(&Job::height), resolved.hires_height, side_limits));
  const int steps = static_cast<int>(checked_number(job.hires_steps.value_or(resolved.steps), &Job::hires_steps));
  if (steps > model.sampling.train_steps) {
    refuse(flag_of(&Job::hires_steps) + " is " + std::to_string(steps) + "; " + model.name + " was trained on " +
           std::to_string(model.sampling.train_steps) + " steps and can take no more");
  }
  resolved.hires_steps = steps;
  resolved.hires_strength = checked_strength(&Job::hires_strength, job.hires_strength.value_or(0.5), steps, model);
}

}  // namespace

ResolvedJob resolve(const Job& job, const Model& model, std::uint64_t random) {
  static const std::array<std::string, 3> devices = {"auto", "cpu", "cuda"};
  static const std::array<std::string, 3> tilings = {"auto", "on", "off"};
  static const std::array<std::string, 4> dtypes = {"auto", "fp32", "bf16", "fp16"};
  const FamilyRow* family = find_family(model.family);
  if (family == nullptr) throw Error(ErrorKind::internal, "resolve: the model has not been checked");

  ResolvedJob resolved;
  resolved.prompt = checked_text(job, &Job::prompt);
  resolved.negative_prompt = checked_text(job, &Job::negative_prompt);
  resolved.steps = checked_steps(job, model);
  resolved.sampler = find_sampler(job.sampler.value_or(model.defaults.sampler)).name;
  resolved.spacing = job.spacing ? find_spacing(*job.spacing) : model.sampling.spacing;
  resolved.guidance = checked_number(job.guidance.value_or(model.defaults.guidance), &Job::guidance);
  resolved.width = checked_side(job, &Job::width, model.defaults.width, family->size_multiple);
  resolved.height = checked_side(job, &Job::height, model.defaults.height, family->size_multiple);
  resolved.batch = static_cast<int>(checked_number(job.batch.value_or(1), &Job::batch));
  resolved.seed = checked_seed(job, resolved.batch, random);
  resolve_source(job, model, resolved);
  resolve_hires(job, model, family->size_multiple, resolved);
  resolved.vae_tiling = checked_name(job, &Job::vae_tiling, tilings);
  resolved.device = checked_name(job, &Job::device, devices);
  resolved.dtype = checked_name(job, &Job::dtype, dtypes);
  resolved.threads = static_cast<int>(checked_number(job.threads.value_or(0), &Job::threads));
  return resolved;
}

}  // namespace lapis::core
