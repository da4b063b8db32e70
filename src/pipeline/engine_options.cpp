#include "pipeline/engine_options.hpp"

#include <string>
#include <string_view>

#include "core/job/job_fields.hpp"
#include "core/text/choice.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/names.hpp"
#include "lapis/error.hpp"

namespace lapis::pipeline {
namespace {

/// Refuses a name that is none of the choices that a field of a job has.
void expect_choice(const std::string& text, std::string_view key) {
  core::expect_word(core::field_name(key), text, core::find_job_field(key).choices());
}

}  // namespace

EngineOptions engine_options(const ResolvedJob& job) {
  EngineOptions options{job.device, job.dtype, job.threads};
  options.vae_dtype = job.vae_dtype.value_or("auto");
  return options;
}

EngineOptions engine_options(const ComputeOptions& options) {
  expect_choice(options.tiling, "vae_tiling");
  expect_choice(options.device, "device");
  expect_choice(options.dtype, "vae_dtype");
  const auto threads = static_cast<double>(options.threads);
  const auto problem = core::limit_problem(core::field_name("threads"), threads, core::thread_limits);
  if (problem) throw Error(ErrorKind::usage, *problem);
  return {options.device, options.dtype, static_cast<int>(options.threads)};
}

}  // namespace lapis::pipeline
