// From a job to files: what `generate` and `refine` share.
#pragma once

#include <memory>
#include <string>

#include "cli/job_options.hpp"
#include "cli/latent_options.hpp"
#include "cli/output_options.hpp"
#include "io/latent/latent_formats.hpp"
#include "pipeline/render.hpp"

namespace CLI {
class App;
}

namespace lapis::cli {

/// What a command line asks.
struct GenerationOptions {
  pipeline::AskedJob asked;
  StdinUse stdin_use;
  std::shared_ptr<const io::LatentSource> source;  ///< what the job starts from, where that was read already
  std::string from;                                ///< a file that records a job, which is done again
  pipeline::JobRecord record;                      ///< of that file
  bool dry_run = false;
  OutputOptions outputs;  ///< of which the job says all but --json
};

/// Declares what is no field of the job; parsing fills `options`, which must live as long.
void declare_generation(CLI::App& app, GenerationOptions& options);

/// Runs it, and returns the program's exit code.
int generate(GenerationOptions& options);

}  // namespace lapis::cli
