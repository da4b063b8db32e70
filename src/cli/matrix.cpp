#include "core/picture/matrix.hpp"

#include <memory>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/latent_options.hpp"
#include "cli/option_group.hpp"
#include "cli/output_options.hpp"
#include "cli/progress.hpp"
#include "cli/standard_streams.hpp"
#include "cli/terminal.hpp"
#include "core/text/sentence.hpp"
#include "core/text/shell_word.hpp"
#include "io/report/matrix_report.hpp"
#include "pipeline/engine_options.hpp"
#include "pipeline/matrix.hpp"
#include "pipeline/matrix_outputs.hpp"

namespace lapis::cli {
namespace {

constexpr const char* matrix_footer =
    "Examples:\n"
    "  lapis matrix\n"
    "  lapis matrix tiny-sd15 tiny-sdxl -p \"a blue boat, lake at dawn\" -s 3 -o boats\n"
    "  lapis matrix a.safetensors tiny-sdxl tiny-flux\n"
    "\n"
    "Each latent goes through the decoder that it comes from, through every other one as it is (which\n"
    "lapis decode refuses) and through every other one after it was carried across (lapis convert).\n"
    "The folder gets matrix.png, a sheet of all pictures, matrix.json with PSNR and SSIM of each against\n"
    "the right one, and matrix.html, a page that holds both.";

struct MatrixOptions {
  std::vector<std::string> words;
  pipeline::MatrixPrompt asked;
  std::string folder = "matrix";
  OutputOptions outputs;
};

/// What makes the same matrix again, wherever it is written.
std::string command_of(const MatrixOptions& options) {
  std::string command = "lapis matrix";
  for (const std::string& word : options.words) command += " " + core::shell_word(word);
  if (options.asked.text) command += " -p " + core::shell_word(*options.asked.text);
  if (!options.asked.seed.empty()) command += " -s " + core::shell_word(options.asked.seed);
  const pipeline::ComputeOptions usual;
  const pipeline::ComputeOptions& compute = options.asked.compute;
  if (compute.tiling != usual.tiling) command += " --vae-tiling " + compute.tiling;
  if (compute.dtype != usual.dtype) command += " --vae-dtype " + compute.dtype;
  if (compute.device != usual.device) command += " --device " + compute.device;
  if (compute.threads != usual.threads) command += " -t " + std::to_string(compute.threads);
  return command;
}

int matrix(const MatrixOptions& options) {
  pipeline::EngineDoor door(engine_options(options.asked.compute));
  const std::vector<pipeline::Output> outputs = pipeline::plan_matrix_outputs(options.folder, options.outputs);
  check_stdin_once(options.words);
  for (const std::string& word : options.words)
    check_stdin(word, "a latent", "lapis generate ... --latent - | lapis decode -");
  Progress progress;
  const Events events = listener(progress);
  pipeline::ModelCatalog catalog;
  std::vector<pipeline::MatrixRow> rows = pipeline::read_matrix_rows(options.words, options.asked, catalog, events);
  report_skipped(options.outputs, outputs);
  if (pipeline::all_stay(outputs)) return 0;
  core::Matrix matrix = pipeline::fill_matrix(rows, options.asked.compute.tiling, door, events);
  matrix.command = command_of(options);
  pipeline::save(matrix, outputs, options.outputs);
  if (options.outputs.json) {
    print_json(io::matrix_report(matrix));
  } else {
    for (const int place : pipeline::written_places(outputs)) print_line(outputs[place].path);
  }
  return 0;
}

}  // namespace

Run declare_matrix(CLI::App& app) {
  const auto options = std::make_shared<MatrixOptions>();
  pipeline::MatrixPrompt& asked = options->asked;
  const OptionGroup group(app);
  group.value("latents", options->words, "LATENT|MODEL",
              "Latents, or models that render one; none: a known model of each family");
  group.value("-p,--prompt", asked.text, "TEXT", core::sentence("What the models draw ({})", pipeline::matrix_prompt));
  group.value("-s,--seed", asked.seed, "N", core::sentence("Of all of them ({})", pipeline::matrix_seed));
  declare_compute(app, asked.compute);
  OptionGroup(app, "Output")
      .value("-o,--output", options->folder, "FOLDER", "Folder for the three files (matrix); made if it is not there");
  declare_output(app, options->outputs, "The JSON on stdout, instead of the files' names");
  app.footer(matrix_footer);
  return [options] { return matrix(*options); };
}

}  // namespace lapis::cli
