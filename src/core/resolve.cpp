#include <algorithm>
#include <array>
#include <limits>

#include "core/families.hpp"
#include "core/job_fields.hpp"
#include "core/prompt_syntax.hpp"
#include "core/samplers.hpp"
#include "core/schedules.hpp"
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

/// Layers of the text encoder that has fewest, as its port of hidden states says: they begin with the embeddings.
std::int64_t clip_layers(const Model& model) {
  std::int64_t layers = std::numeric_limits<std::int32_t>::max();
  for (const auto& [name, part] : model.parts) {
    for (const Port& port : part.outputs) {
      const auto* states = port.name == "states" ? std::get_if<std::int64_t>(&port.shape.front()) : nullptr;
      if (states != nullptr) layers = std::min(layers, *states - 1);
    }
  }
  return layers;
}

int checked_clip_skip(const Job& job, const Model& model, const FamilyRow& family) {
  if (family.clip_skip == 0) {
    if (!job.clip_skip) return 0;
    refuse(flag_of(&Job::clip_skip) + " is for families whose words pass through the layers of a CLIP text encoder; " +
           family.name + " reads them through T5, which has none to skip. Leave it out");
  }
  const std::int64_t layers = clip_layers(model);
  const std::int64_t skip = job.clip_skip.value_or(family.clip_skip);
  if (skip < 1 || skip > layers) {
    refuse(flag_of(&Job::clip_skip) + " is " + std::to_string(skip) + "; the text encoder of " + model.name + " has " +
           std::to_string(layers) + " layers: expected 1, the last one, to " + std::to_string(layers));
  }
  return static_cast<int>(skip);
}

void check_embeddings(const Job& job, const FamilyRow& family) {
  if (job.embeddings.empty() || family.clip_skip != 0) return;
  refuse(flag_of(&Job::embeddings) + " is for families that read the prompt through CLIP alone; " + family.name +
         " reads it through T5, for which there are none. Leave it out");
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

}  // namespace

ResolvedJob resolve(const Job& job, const Model& model, std::uint64_t random) {
  static const std::array<std::string, 3> devices = {"auto", "cpu", "cuda"};
  static const std::array<std::string, 4> dtypes = {"auto", "fp32", "bf16", "fp16"};
  const FamilyRow* family = find_family(model.family);
  if (family == nullptr) throw Error(ErrorKind::internal, "resolve: the model has not been checked");

  ResolvedJob resolved;
  resolved.prompt = checked_text(job, &Job::prompt);
  resolved.negative_prompt = checked_text(job, &Job::negative_prompt);
  if (job.prompt_syntax) resolved.prompt_syntax = find_prompt_syntax(*job.prompt_syntax).syntax;
  resolved.clip_skip = checked_clip_skip(job, model, *family);
  check_embeddings(job, *family);
  resolved.steps = checked_steps(job, model);
  resolved.sampler = find_sampler(job.sampler.value_or(model.defaults.sampler)).name;
  resolved.spacing = job.spacing ? find_spacing(*job.spacing) : model.sampling.spacing;
  resolved.guidance = checked_number(job.guidance.value_or(model.defaults.guidance), &Job::guidance);
  resolved.width = checked_side(job, &Job::width, model.defaults.width, family->size_multiple);
  resolved.height = checked_side(job, &Job::height, model.defaults.height, family->size_multiple);
  resolved.batch = static_cast<int>(checked_number(job.batch.value_or(1), &Job::batch));
  resolved.seed = checked_seed(job, resolved.batch, random);
  resolved.device = checked_name(job, &Job::device, devices);
  resolved.dtype = checked_name(job, &Job::dtype, dtypes);
  resolved.threads = static_cast<int>(checked_number(job.threads.value_or(0), &Job::threads));
  return resolved;
}

}  // namespace lapis::core
