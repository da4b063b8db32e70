#include <algorithm>
#include <array>
#include <limits>

#include "core/families.hpp"
#include "core/job_fields.hpp"
#include "core/resolve_sampling.hpp"
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
  resolved.guidance = checked_number(job.guidance.value_or(model.defaults.guidance), &Job::guidance);
  resolved.width = checked_side(job, &Job::width, model.defaults.width, family->size_multiple);
  resolved.height = checked_side(job, &Job::height, model.defaults.height, family->size_multiple);
  resolve_sampling(job, model, resolved);
  resolved.batch = static_cast<int>(checked_number(job.batch.value_or(1), &Job::batch));
  resolved.seed = checked_seed(job, resolved.batch, random);
  resolved.device = checked_name(job, &Job::device, devices);
  resolved.dtype = checked_name(job, &Job::dtype, dtypes);
  resolved.threads = static_cast<int>(checked_number(job.threads.value_or(0), &Job::threads));
  return resolved;
}

}  // namespace lapis::core
