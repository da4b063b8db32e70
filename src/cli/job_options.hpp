// The options of a job: one for each row of the job-field table.
#pragma once

#include <set>
#include <string>

#include "lapis/job.hpp"

namespace CLI {
class App;
}

namespace lapis::cli {

/// What a command line says of a job.
struct AskedJob {
  Job job;
  std::set<std::string> named;  ///< keys of the fields that it says something of
};

/// Declares them on `app`; parsing fills `asked`, which must live as long. Prompts may lie in files.
void declare_job_options(CLI::App& app, AskedJob& asked);

}  // namespace lapis::cli
