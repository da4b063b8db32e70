// The options of a job: one for each row of the job-field table.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "lapis/job.hpp"

namespace CLI {
class App;
}

namespace lapis::cli {

/// What a command line says of a job.
struct AskedJob {
  Job job;
  std::set<std::string> named;  ///< keys of the fields that it says something of
  std::string takes_stdin;      ///< the word that standard input is read for; empty: none
};

/// Gives standard input to `word`. Throws Error{usage} where another has it, with `advice`.
void take_stdin(AskedJob& asked, const std::string& word, const std::string& advice = "Put one into a file");

/// Declares them on `app`, but for those whose keys are `left_out`; parsing fills `asked`, which must live as long.
/// Prompts may lie in files. The one called `positional` may stand without its flag too; "" for none.
void declare_job_options(CLI::App& app, AskedJob& asked, std::string_view positional,
                         std::span<const std::string_view> left_out = {});

}  // namespace lapis::cli
