#include "cli/job_options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <vector>

#include "core/job_fields.hpp"
#include "core/resolve_sampling.hpp"
#include "core/schedule_table.hpp"
#include "io/prompt_file.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {
namespace {

/// Which flag has taken standard input; empty: none yet.
using StdinTaker = std::string;

bool wants_stdin(const core::JobField& field, const std::string& argument) {
  if (field.key == "prompt" || field.key == "negative_prompt") return io::reads_stdin(argument);
  return (field.key == "image" || field.key == "init_latent") && argument == "-";
}

/// A sampler's name that says a schedule too (it comes first) and --schedule must agree.
void check_schedule(const std::string& said, const std::string& asked) {
  if (core::find_schedule(said).kind == core::find_schedule(asked).kind) return;
  throw Error(ErrorKind::usage, "--sampler is a name of schedule " + said + " too, and --schedule is \"" + asked +
                                    "\". Give the schedule once");
}

/// Sets a field from its option's arguments.
void set_from(AskedJob& asked, StdinTaker& taker, const core::JobField& field,
              const std::vector<std::string>& arguments) {
  const std::string flag(core::long_flag(field));
  asked.named.emplace(field.key);
  for (const std::string& argument : arguments) {
    if (wants_stdin(field, argument)) {
      if (!taker.empty()) {
        throw Error(ErrorKind::usage, taker + " and " + flag + " both want standard input. Put one into a file" +
                                          (field.key.ends_with("prompt") ? ": @FILE" : ""));
      }
      taker = flag;
    }
    const bool prompt = field.key == "prompt" || field.key == "negative_prompt";
    if (field.key == "schedule" && asked.job.schedule) check_schedule(*asked.job.schedule, argument);
    core::set_field(asked.job, field, prompt ? io::prompt_text(argument, flag) : argument);
    if (field.key == "sampler" && core::split_sampler(asked.job)) asked.named.emplace("schedule");
  }
}

}  // namespace

void declare_job_options(CLI::App& app, AskedJob& asked, std::string_view positional,
                         std::span<const std::string_view> left_out) {
  const auto taker = std::make_shared<StdinTaker>();
  for (const core::JobField& field : core::job_fields()) {
    if (std::find(left_out.begin(), left_out.end(), field.key) != left_out.end()) continue;
    const std::string names = std::string(field.flags) + (field.key == positional ? "," + std::string(field.key) : "");
    const bool list = std::holds_alternative<std::vector<std::string> Job::*>(field.member);
    app.add_option_function<std::vector<std::string>>(
           names,
           [&asked, &field, taker](const std::vector<std::string>& texts) { set_from(asked, *taker, field, texts); },
           std::string(field.help))
        ->type_name(std::string(field.value_name))
        ->group(std::string(core::group_title(field.group)))
        ->expected(1)
        ->multi_option_policy(list ? CLI::MultiOptionPolicy::TakeAll : CLI::MultiOptionPolicy::Throw);
  }
}

}  // namespace lapis::cli
