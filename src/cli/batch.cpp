#include "jobs/batch.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/commands.hpp"
#include "cli/declared.hpp"
#include "cli/job_options.hpp"
#include "cli/option_group.hpp"
#include "cli/output_options.hpp"
#include "cli/progress.hpp"
#include "cli/shard_option.hpp"
#include "cli/signals.hpp"
#include "cli/spelling.hpp"
#include "cli/terminal.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "io/file/shortage.hpp"
#include "io/report/report.hpp"
#include "jobs/merge.hpp"
#include "jobs/output_template.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {
namespace {

constexpr const char* batch_footer =
    "Examples:\n"
    "  lapis batch jobs.jsonl -o out/\n"
    "  lapis batch --prompts prompts.txt -m tiny-sdxl -o \"out/{line:03}-{prompt}.png\"\n"
    "  lapis batch -p \"a red house\" --each seed=1..8 --each guidance=3,5,7 -o grid/\n"
    "  lapis batch jobs.jsonl -o out/ --shard 2/4\n"
    "  lapis batch - --json < jobs.jsonl\n"
    "\n"
    "JOBS has a job on each line, in JSON: {\"prompt\": \"a red house\", \"seed\": 7, \"steps\": 20}. A result\n"
    "line of lapis generate --json is a job. What lines do not say, options say. Run again with the same\n"
    "arguments, what is done is left as it is. docs/batch.md has the whole of it.";

constexpr int some_failed = 9;  ///< exit codes
constexpr int not_whole = 1;
constexpr std::int64_t most_workers = 256;

struct BatchOptions {
  std::string jobs;
  std::string prompts;
  std::vector<std::string> axes;
  pipeline::AskedJob defaults;
  StdinUse stdin_use;
  std::string journal;
  std::string sheet;
  std::string memory;
  std::string shard;
  std::vector<std::string> merged;
  std::int64_t workers = 1;
  int retries = 0;
  bool fail_fast = false;
  bool dry_run = false;
  OutputOptions outputs;
};

/// Bytes of weights that may stay: what somebody said, or what the machine has, less what a render needs beside.
std::uint64_t memory_of(const std::string& said) {
  constexpr std::uint64_t margin = 2'000'000'000;
  constexpr std::uint64_t usual = 4'000'000'000;
  if (!said.empty()) {
    if (const auto bytes = core::parse_bytes(said)) return *bytes;
    throw Error(ErrorKind::usage, core::sentence("--memory is \"{}\"; expected a size, as 8GB or 500MB", said));
  }
  const std::uint64_t free = io::free_memory().value_or(usual + margin);
  return free > 2 * margin ? free - margin : free / 2;
}

/// Where the journal lies: beside the outputs, one for each shard.
std::string journal_of(const BatchOptions& options, const std::optional<jobs::Shard>& shard) {
  if (!options.journal.empty()) return options.journal;
  const std::string output = options.defaults.job.output.value_or(jobs::default_output);
  return (jobs::folder_of(output) / jobs::name_in_shard("journal.jsonl", shard)).string();
}

void check(const BatchOptions& options) {
  check_output(options.outputs);
  if (options.jobs.empty() && options.prompts.empty() && options.defaults.named.empty()) {
    throw Error(ErrorKind::usage,
                "there are no jobs. Name a file of them, or - for standard input, or say what all "
                "of them share: lapis batch --prompts prompts.txt -o out/");
  }
  const std::string output = options.defaults.job.output.value_or(jobs::default_output);
  jobs::check_template(output, "output");
  if (options.defaults.job.latent) jobs::check_template(*options.defaults.job.latent, "latent");
  if (std::filesystem::is_other(output)) {
    throw Error(ErrorKind::usage, core::sentence("-o {}: a batch writes files, and that is none", output));
  }
  if (options.workers < 1 || options.workers > most_workers) {
    throw Error(ErrorKind::usage,
                core::sentence("--workers is {}; expected a number from 1 to {}", options.workers, most_workers));
  }
  if (options.retries < 0) {
    throw Error(ErrorKind::usage, core::sentence("--retry is {}; expected 0 or more", options.retries));
  }
}

jobs::BatchAsked asked_of(const BatchOptions& options) {
  jobs::BatchAsked asked;
  asked.list = {options.jobs, options.prompts, {}, options.defaults};
  for (const std::string& axis : options.axes) asked.list.axes.push_back(jobs::parse_axis(axis));
  asked.policy = options.outputs;
  asked.shard = shard_of(options.shard);
  asked.journal = journal_of(options, asked.shard);
  asked.memory = memory_of(options.memory);
  asked.workers = static_cast<std::size_t>(options.workers);
  asked.sheet = jobs::name_in_shard(options.sheet, asked.shard);
  asked.retries = options.retries;
  asked.fail_fast = options.fail_fast;
  return asked;
}

std::string plan_line(const jobs::CheckedJob& job, const char* status) {
  return io::job_plan_line(job.job.line, job.outline.id, job.outline.outputs, status);
}

/// What a batch tells, on its way to the terminal.
jobs::BatchEvents events_of(const BatchOptions& options, Progress& progress) {
  jobs::BatchEvents events;
  events.render = listener(progress);
  events.render.step = {};  // what is counted are jobs
  events.ended = [&](std::size_t ended, std::size_t all) {
    progress.update(static_cast<int>(ended), static_cast<int>(all));
  };
  events.render.stop = is_asked_to_end;
  events.busy = end_after_step;
  events.outlet = outlet_of(options.outputs);
  events.written = [&](const jobs::BatchJob& job, const pipeline::Written& written) {
    progress.clear();
    print_written(options.outputs, {written.path, written.sha256, io::job_output_line(written.line, job.line)});
  };
  events.skipped = [&](const jobs::CheckedJob& job) {
    if (options.outputs.json) print_json(plan_line(job, "skipped"));
  };
  events.failed = [&](const jobs::BatchJob& job, const Error& error) {
    progress.clear();
    print_error(error);
    if (!options.outputs.json) return;
    print_json(io::job_failure_line(job.line, error, spelled(error.marked_problem()), spelled(error.marked_advice())));
    flush_output();
  };
  return events;
}

std::string nothing_text(const BatchOptions& options) {
  return core::sentence("no jobs in {}", options.jobs == "-" ? "standard input" : options.jobs);
}

std::string summary_text(const jobs::BatchResult& result) {
  std::string text = core::sentence("{} done", core::count_text(result.done, "job"));
  if (result.skipped > 0) text += core::sentence(", {} done before", result.skipped);
  if (result.failed > 0) text += core::sentence(", {} failed", result.failed);
  return text;
}

void print_plan(const BatchOptions& options, const jobs::Batch& batch, std::span<const jobs::CheckedJob> jobs) {
  for (const jobs::CheckedJob& job : jobs) {
    if (options.outputs.json) {
      print_json(plan_line(job, job.is_done ? "skipped" : "planned"));
      continue;
    }
    print_line(core::sentence("{}: {} -> {}{}", job.job.where, job.job.said.command, core::joined(job.outline.outputs),
                              job.is_done ? " (done before)" : ""));
  }
  if (batch.count() == 0) return print_note(nothing_text(options));
  const auto done = static_cast<std::size_t>(std::ranges::count_if(jobs, &jobs::CheckedJob::is_done));
  const std::optional<double> seconds = batch.estimate();
  std::string text = core::sentence("{} to do, {} done before", core::count_text(jobs.size() - done, "job"), done);
  text += seconds ? core::sentence("; about {:.0f} s, by the journal", *seconds)
                  : std::string("; no journal tells how long jobs of these models take");
  print_note(text);
}

int exit_of(const jobs::BatchResult& result) { return result.failed > 0 ? some_failed : 0; }

/// Refuses what joining journals does not heed.
void check_merge(const CLI::App& app) {
  constexpr std::array<std::string_view, 4> heeded = {"--merge", "--json", "--quiet", "--progress"};
  for (const CLI::Option* option : app.get_options()) {
    const std::string name = shown(*option);
    if (option->count() == 0 || std::ranges::find(heeded, name) != heeded.end()) continue;
    throw Error(ErrorKind::usage, core::sentence("--merge joins what was done, and does no jobs. Leave out {}", name));
  }
}

int merge(const BatchOptions& options) {
  const std::vector<std::filesystem::path> folders(options.merged.begin(), options.merged.end());
  const jobs::Merged merged = jobs::merge(folders);
  if (options.outputs.json) print_json(io::merge_line(merged.records.size(), merged.of, merged.faults));
  if (!merged.faults.empty()) {
    for (const std::string& fault : merged.faults) print_error(fault);
    return not_whole;
  }
  if (!options.outputs.json) print_line((folders.front() / "journal.jsonl").string());
  print_note(core::sentence("{}, each done once", core::count_text(merged.of, "job")));
  return 0;
}

int run_batch(const BatchOptions& options) {
  check(options);
  Progress progress("job");
  const jobs::BatchAsked asked = asked_of(options);
  const bool as_read = options.jobs == "-" && !asked.shard && asked.sheet.empty() && !options.dry_run;
  std::optional<jobs::Batch> batch(std::in_place, asked, events_of(options, progress), !options.dry_run);
  if (as_read) {
    batch->run_as_read();
  } else {
    const std::vector<jobs::CheckedJob>& jobs = batch->check();
    if (options.dry_run) {
      print_plan(options, *batch, jobs);
      return exit_of(batch->result());
    }
    batch->run();
  }
  const jobs::BatchResult result = batch->result();
  progress.clear();
  if (is_asked_to_end()) {
    batch.reset();  // its lock goes with it
    print_warning(core::sentence("{} ended it: {}. Run it again to go on", asked_signal_name(), summary_text(result)));
    end_by_asked_signal();
  }
  print_note(batch->count() == 0 ? nothing_text(options) : summary_text(result));
  return exit_of(result);
}

}  // namespace

Run declare_batch(CLI::App& app) {
  const auto options = std::make_shared<BatchOptions>();
  app.add_option_function<std::string>(
         "jobs",
         [options](const std::string& text) {
           if (text == "-") take_stdin(options->stdin_use, "JOBS");
           options->jobs = text;
         },
         "File with a job on each line, in JSON; - for stdin, done line by line")
      ->type_name("JOBS");
  const OptionGroup list(app, "Jobs");
  app.add_option_function<std::string>(
         "--prompts",
         [options](const std::string& text) {
           if (text == "-") take_stdin(options->stdin_use, "--prompts");
           options->prompts = text;
         },
         "A prompt on each line, for each job")
      ->type_name("FILE")
      ->group("Jobs");
  list.value("--each", options->axes, "FIELD=VALUES", "All combinations: seed=1..8, guidance=3,5,7, model=a,b")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  declare_shard(list, options->shard);
  list.value("--merge", options->merged, "FOLDER", "Join the journals of shards, and prove that nothing is missing");
  list.value("--workers", options->workers, "N", "Processes that do jobs side by side, with the cores divided (1)");
  list.value("--memory", options->memory, "SIZE", "Of models that may stay between jobs; else what is free");
  list.value("--retry", options->retries, "N", "Do a job again, N times at most, that the device failed");
  list.flag("--fail-fast", options->fail_fast, "End at the first job that fails");
  list.value("--journal", options->journal, "FILE", "What was done (journal.jsonl beside the outputs)");
  list.value("--sheet", options->sheet, "FILE",
             "Picture (.png) or page (.html) of all pictures, one axis down, one across");
  list.flag("--dry-run", options->dry_run, "Check all jobs and show them; do none");
  declare_job_options(app, options->defaults, options->stdin_use, "");
  declare_json(app, options->outputs.json, "One JSON line an output, and a failure, on stdout");
  app.footer(batch_footer);
  return [options, &app] {
    if (!options->merged.empty()) {
      check_merge(app);
      return merge(*options);
    }
    options->outputs.overwrite = options->defaults.job.overwrite;
    options->outputs.skip_existing = options->defaults.job.skip_existing;
    return run_batch(*options);
  };
}

}  // namespace lapis::cli
