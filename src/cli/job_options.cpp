#include "cli/job_options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <vector>

#include "core/job/job_fields.hpp"
#include "core/job/resolve_sampling.hpp"
#include "core/sampling/schedule_table.hpp"
#include "core/text/sentence.hpp"
#include "io/prompt/prompt_file.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {
namespace {

bool wants_stdin(const core::JobField& field, const std::string& argument) {
  if (field.key == "prompt" || field.key == "negative_prompt") return io::reads_stdin(argument);
  return (field.key == "image" || field.key == "init_latent" || field.key == "mask") && argument == "-";
}

/// A sampler's name that says a schedule too (it comes first) and --schedule must agree.
void check_schedule(const std::string& said, const std::string& asked) {
  if (core::find_schedule(said).kind == core::find_schedule(asked).kind) return;
  throw Error(ErrorKind::usage, core::sentence("--sampler is a name of schedule {} too, and --schedule is \"{}\". Give "
                                               "the schedule once",
                                               said, asked));
}

/// Sets a field from its option's arguments.
void set_from(pipeline::AskedJob& asked, StdinUse& use, const core::JobField& field,
              const std::vector<std::string>& arguments) {
  const std::string flag(core::long_flag(field));
  asked.named.emplace(field.key);
  for (const std::string& argument : arguments) {
    const bool prompt = field.key == "prompt" || field.key == "negative_prompt";
    if (wants_stdin(field, argument)) {
      take_stdin(use, flag, prompt ? "Put one into a file: @FILE" : "Put one into a file");
    }
    if (field.key == "schedule" && asked.job.schedule) check_schedule(*asked.job.schedule, argument);
    core::set_field(asked.job, field, prompt ? io::prompt_text(argument, flag) : argument);
    if (field.key == "sampler" && core::split_sampler(asked.job)) asked.named.emplace("schedule");
  }
}

}  // namespace

void declare_job_options(CLI::App& app, pipeline::AskedJob& asked, StdinUse& use, std::string_view positional,
                         std::span<const std::string_view> left_out) {
  for (const core::JobField& field : core::job_fields()) {
    if (std::find(left_out.begin(), left_out.end(), field.key) != left_out.end()) continue;
    const std::string names = std::string(field.flags) + (field.key == positional ? "," + std::string(field.key) : "");
    const std::string group(core::group_title(field.group));
    if (std::holds_alternative<bool Job::*>(field.member)) {
      app.add_flag_callback(
             names, [&asked, &use, &field] { set_from(asked, use, field, {"true"}); }, core::help_text(field))
          ->group(group);
      continue;
    }
    const bool list = std::holds_alternative<std::vector<std::string> Job::*>(field.member);
    app.add_option_function<std::vector<std::string>>(
           names, [&asked, &use, &field](const std::vector<std::string>& texts) { set_from(asked, use, field, texts); },
           core::help_text(field))
        ->type_name(std::string(field.value_name))
        ->group(group)
        ->expected(1)
        ->multi_option_policy(list ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::Throw);
  }
}

}  // namespace lapis::cli
