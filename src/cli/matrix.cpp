#include "core/picture/matrix.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "cli/commands.hpp"
#include "cli/latent_options.hpp"
#include "cli/output.hpp"
#include "cli/output_options.hpp"
#include "cli/progress.hpp"
#include "cli/terminal.hpp"
#include "core/job/job_fields.hpp"
#include "core/picture/sheet.hpp"
#include "core/text/sentence.hpp"
#include "core/text/shell_word.hpp"
#include "io/file/atomic_file.hpp"
#include "io/picture/png.hpp"
#include "io/report/matrix_report.hpp"
#include "lapis/error.hpp"
#include "pipeline/matrix.hpp"

namespace fs = std::filesystem;

namespace lapis::cli {
namespace {

constexpr const char* default_prompt = "a red house on the left, snow field at night";
constexpr std::uint64_t default_seed = 7;

constexpr const char* footer =
    "Examples:\n"
    "  lapis matrix\n"
    "  lapis matrix tiny-sd15 tiny-sdxl -p \"a blue boat, lake at dawn\" -s 3 -o boats\n"
    "  lapis matrix a.safetensors tiny-sdxl tiny-flux\n"
    "\n"
    "Each latent goes through the decoder that it comes from, through every other one as it is (which\n"
    "lapis decode refuses) and through every other one after it was carried across (lapis convert).\n"
    "The folder gets matrix.png, a sheet of all pictures, matrix.json with PSNR and SSIM of each against\n"
    "the right one, and matrix.html, a page that holds both.";

struct Options {
  std::vector<std::string> words;
  std::optional<std::string> prompt;
  std::string seed;  ///< as typed; empty: none
  std::string folder = "matrix";
  pipeline::ComputeOptions compute;
  OutputOptions outputs;
};

/// What makes the same matrix again, wherever it is written.
std::string command_of(const Options& options) {
  std::string command = "lapis matrix";
  for (const std::string& word : options.words) command += " " + core::shell_word(word);
  if (options.prompt) command += " -p " + core::shell_word(*options.prompt);
  if (!options.seed.empty()) command += " -s " + core::shell_word(options.seed);
  const pipeline::ComputeOptions usual;
  const pipeline::ComputeOptions& compute = options.compute;
  if (compute.tiling != usual.tiling) command += " --vae-tiling " + compute.tiling;
  if (compute.dtype != usual.dtype) command += " --vae-dtype " + compute.dtype;
  if (compute.device != usual.device) command += " --device " + compute.device;
  if (compute.threads != usual.threads) command += " -t " + std::to_string(compute.threads);
  return command;
}

/// The three files in their folder.
class MatrixFiles {
 public:
  MatrixFiles(const std::string& folder, const OutputOptions& options) : folder_(folder), options_(options) {}

  void check() {
    if (folder_.empty()) throw Error(ErrorKind::usage, "-o names no folder. Leave it out, or name one");
    std::error_code ignored;
    const bool is_new = !fs::exists(folder_, ignored);
    if (is_new) io::check_writable(bare_folder(), false);
    for (const char* name : {sheet, numbers, page}) {
      if (stays(options_, path(name))) {
        skipped_.push_back(path(name));
        continue;
      }
      if (!is_new) io::check_writable(path(name), options_.overwrite);
      written_.push_back(path(name));
    }
  }

  /// Files that stay as they are, and the others.
  const std::vector<std::string>& skipped() const { return skipped_; }
  const std::vector<std::string>& written() const { return written_; }

  void write(const core::Matrix& matrix) const {
    const std::vector<std::byte> png = io::encode_png(core::drawn(core::sheet_of(matrix)), {});
    const std::string report = io::matrix_report(matrix) + "\n";
    const std::string html = io::matrix_page(matrix);
    std::error_code error;
    fs::create_directory(bare_folder(), error);
    if (error) {
      throw Error(ErrorKind::output, core::sentence("the folder {} cannot be made: {}", folder_, error.message()));
    }
    write_file(sheet, png);
    write_file(numbers, std::as_bytes(std::span(report)));
    write_file(page, std::as_bytes(std::span(html)));
  }

 private:
  static constexpr const char* sheet = "matrix.png";
  static constexpr const char* numbers = "matrix.json";
  static constexpr const char* page = "matrix.html";

  void write_file(const char* name, std::span<const std::byte> bytes) const {
    if (std::ranges::find(written_, path(name)) == written_.end()) return;
    io::write_file(path(name), bytes, options_.overwrite);
  }

  std::string path(const char* name) const { return (fs::path(folder_) / name).string(); }

  /// Without a "/" at its end.
  fs::path bare_folder() const {
    const fs::path folder = folder_;
    return folder.has_filename() ? folder : folder.parent_path();
  }

  std::string folder_;
  OutputOptions options_;
  std::vector<std::string> skipped_;
  std::vector<std::string> written_;
};

int matrix(const Options& options) {
  pipeline::EngineDoor door(engine_options(options.compute));
  MatrixFiles files(options.folder, options.outputs);
  check_output(options.outputs);
  files.check();
  for (const std::string& word : options.words)
    check_stdin(word, "a latent", "lapis generate ... --latent - | lapis decode -");
  const bool seeded = !options.seed.empty();
  const pipeline::MatrixPrompt prompt{
      options.prompt.value_or(default_prompt),
      seeded ? core::parse_seed(options.seed, "--seed") : std::optional<std::uint64_t>(default_seed), options.compute};
  Progress progress;
  const Events events = listener(progress);
  pipeline::ModelCatalog catalog;
  std::vector<pipeline::MatrixRow> rows = pipeline::read_matrix_rows(options.words, prompt, catalog, events);
  const bool renders = std::ranges::any_of(rows, [](const pipeline::MatrixRow& row) { return row.job.has_value(); });
  if (!renders && (options.prompt || seeded)) {
    throw Error(ErrorKind::usage,
                "a prompt and a seed are for models, and only latents are named. Leave -p and -s out");
  }
  for (const std::string& path : files.skipped()) report_skipped(options.outputs, path);
  if (files.written().empty()) return 0;
  core::Matrix matrix = pipeline::fill_matrix(rows, options.compute.tiling, door, events);
  matrix.command = command_of(options);
  files.write(matrix);
  if (options.outputs.json) {
    print_json(io::matrix_report(matrix));
  } else {
    for (const std::string& path : files.written()) print_line(path);
  }
  return 0;
}

}  // namespace

Run declare_matrix(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("latents", options->words, "Latents, or models that render one; none: a known model of each family")
      ->type_name("LATENT|MODEL");
  app.add_option("-p,--prompt", options->prompt, core::sentence("What the models draw ({})", default_prompt))
      ->type_name("TEXT");
  app.add_option("-s,--seed", options->seed, core::sentence("Of all of them ({})", default_seed))->type_name("N");
  declare_compute(app, options->compute);
  app.add_option("-o,--output", options->folder, "Folder for the three files (matrix); made if it is not there")
      ->type_name("FOLDER")
      ->group("Output");
  declare_output(app, options->outputs, "The JSON on stdout, instead of the files' names");
  app.footer(footer);
  return [options] { return matrix(*options); };
}

}  // namespace lapis::cli
