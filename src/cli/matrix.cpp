#include "core/picture/matrix.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "cli/commands.hpp"
#include "cli/crossing.hpp"
#include "cli/engine_library.hpp"
#include "cli/latent_options.hpp"
#include "cli/matrix_rows.hpp"
#include "cli/terminal.hpp"
#include "core/picture/sheet.hpp"
#include "core/text/shell_word.hpp"
#include "io/file/atomic_file.hpp"
#include "io/report/latent_report.hpp"
#include "io/report/matrix_page.hpp"
#include "io/report/matrix_report.hpp"
#include "io/model/model_folder.hpp"
#include "io/picture/png.hpp"
#include "lapis/error.hpp"

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
  ComputeOptions place;
  bool json = false;
  bool overwrite = false;
};

/// What makes the same matrix again, wherever it is written.
std::string command_of(const Options& options) {
  std::string command = "lapis matrix";
  for (const std::string& word : options.words) command += " " + core::shell_word(word);
  if (options.prompt) command += " -p " + core::shell_word(*options.prompt);
  if (!options.seed.empty()) command += " -s " + core::shell_word(options.seed);
  const ComputeOptions usual;
  const ComputeOptions& place = options.place;
  if (place.tiling != usual.tiling) command += " --vae-tiling " + place.tiling;
  if (place.dtype != usual.dtype) command += " --vae-dtype " + place.dtype;
  if (place.device != usual.device) command += " --device " + place.device;
  if (place.threads != usual.threads) command += " -t " + std::to_string(place.threads);
  return command;
}

/// The three files in their folder.
class MatrixFiles {
 public:
  MatrixFiles(const std::string& folder, bool overwrite) : folder_(folder), overwrite_(overwrite) {}

  void check() const {
    if (folder_.empty()) throw Error(ErrorKind::usage, "-o names no folder. Leave it out, or name one");
    std::error_code ignored;
    if (!fs::exists(folder_, ignored)) {
      io::check_writable(bare_folder(), false);
      return;
    }
    for (const char* name : {sheet, numbers, page}) io::check_writable(path(name), overwrite_);
  }

  void write(const core::Matrix& matrix) const {
    const std::vector<std::byte> png = io::encode_png(core::drawn(core::sheet_of(matrix)), {});
    const std::string report = io::matrix_report(matrix) + "\n";
    const std::string html = io::matrix_page(matrix);
    std::error_code error;
    fs::create_directory(bare_folder(), error);
    if (error) throw Error(ErrorKind::output, "the folder " + folder_ + " cannot be made: " + error.message());
    io::write_file(path(sheet), png, overwrite_);
    io::write_file(path(numbers), std::as_bytes(std::span(report)), overwrite_);
    io::write_file(path(page), std::as_bytes(std::span(html)), overwrite_);
  }

  std::vector<std::string> paths() const { return {path(sheet), path(numbers), path(page)}; }

 private:
  static constexpr const char* sheet = "matrix.png";
  static constexpr const char* numbers = "matrix.json";
  static constexpr const char* page = "matrix.html";

  std::string path(const char* name) const { return (fs::path(folder_) / name).string(); }

  /// Without a "/" at its end.
  fs::path bare_folder() const {
    const fs::path folder = folder_;
    return folder.has_filename() ? folder : folder.parent_path();
  }

  std::string folder_;
  bool overwrite_;
};

/// The run of one `matrix`, from a parsed command line to files.
class MatrixRun {
 public:
  explicit MatrixRun(const Options& options) : options_(options), files_(options.folder, options.overwrite) {}

  int run() {
    const EngineOptions place = engine_options(options_.place);
    files_.check();
    read_rows();
    std::future<std::unique_ptr<Engine>> opening = open_engine(place);
    verify();
    engine_ = opening.get().release();  // never destroyed: the program leaves through _exit
    for (MatrixRow& row : rows_) {
      if (row.job) render(row, *engine_);
    }
    for (std::size_t row = 0; row < rows_.size(); ++row) fill_row(row);
    files_.write(matrix_);
    if (options_.json) {
      print_json(io::matrix_report(matrix_));
    } else {
      for (const std::string& path : files_.paths()) print_line(path);
    }
    return 0;
  }

 private:
  void read_rows() {
    const bool seeded = !options_.seed.empty();
    const MatrixPrompt prompt{
        options_.prompt.value_or(default_prompt),
        seeded ? core::parse_seed(options_.seed, "--seed") : std::optional<std::uint64_t>(default_seed),
        options_.place};
    rows_ = read_matrix_rows(options_.words, prompt);
    const auto rendered = [](const MatrixRow& row) { return row.job.has_value(); };
    const auto first = std::find_if(rows_.begin(), rows_.end(), rendered);
    if (first != rows_.end()) {
      matrix_.prompt = first->job->prompt;
      matrix_.seed = first->job->seed;
    } else if (options_.prompt || seeded) {
      throw Error(ErrorKind::usage,
                  "a prompt and a seed are for models, and only latents are named. Leave -p and -s out");
    }
    matrix_.command = command_of(options_);
    matrix_.cells.resize(rows_.size() * rows_.size());
    for (const MatrixRow& row : rows_) {
      core::MatrixLatent latent;
      latent.name = row.name;
      latent.rendered = row.job.has_value();
      latent.model = row.model.name;
      latent.vae_sha256 = io::vae_digest(row.model);
      latent.space = row.model.space;
      matrix_.latents.push_back(std::move(latent));
    }
  }

  void verify() const {
    static const std::array<std::string, 2> both = {"vae_decoder", "vae_encoder"};
    for (const MatrixRow& row : rows_) {
      if (row.job) {
        io::verify_files(row.model);
      } else {
        io::verify_parts(row.model, both);
      }
    }
  }

  /// What decodes a latent's pictures as `decode` does: with what the latent records, unless something else is said.
  std::string tiling_of(const MatrixRow& row) const {
    const std::string recorded = io::recorded_text(row.passport, "vae_tiling").value_or("auto");
    const bool said = options_.place.tiling != "auto";
    return !said && (recorded == "on" || recorded == "off") ? recorded : options_.place.tiling;
  }

  void fill_row(std::size_t index) {
    const MatrixRow& row = rows_[index];
    Image& right = matrix_.latents[index].right;
    engine_->use(row.model);
    right = std::move(engine_->decode(row.latent, tiling_of(row)).images.front());
    for (std::size_t column = 0; column < rows_.size(); ++column) {
      if (column == index) continue;
      const Model& decoder = rows_[column].model;
      core::MatrixCell& cell = matrix_.cell(index, column);
      engine_->use(decoder);
      force(row, decoder, right, cell);
      convert(row, decoder, right, cell);
    }
  }

  /// Garbage may be so bad that a decoder gives no picture at all: that is what there is to see.
  void force(const MatrixRow& row, const Model& decoder, const Image& right, core::MatrixCell& cell) {
    if (const std::optional<std::string> refusal = core::forcing_refusal(row.model.space, decoder.space)) {
      cell.refusal = *refusal;
      return;
    }
    try {
      cell.forced = core::compared(std::move(engine_->decode(row.latent, tiling_of(row), true).images.front()), right);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::numeric) throw;
      cell.refusal = "cannot be decoded: NaN, Inf or one flat colour";
    }
  }

  void convert(const MatrixRow& row, const Model& target, const Image& right, core::MatrixCell& cell) {
    const std::string& tiling = options_.place.tiling;
    const CrossingOptions crossing{tiling, std::nullopt, true, true};
    const Crossed crossed = cross_pictures({right}, row.passport, target, crossing, *engine_);
    print_note(announcement(row.name, crossed));
    cell.crossing = crossed.document.passport.history.back();
    Decoded decoded = engine_->decode(io::to_latent(crossed.document), tiling);
    cell.converted = core::compared(std::move(decoded.images.front()), right);
  }

  const Options& options_;
  MatrixFiles files_;
  std::vector<MatrixRow> rows_;
  core::Matrix matrix_;
  Engine* engine_ = nullptr;
};

}  // namespace

Run declare_matrix(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("latents", options->words, "Latents, or models that render one; none: a known model of each family")
      ->type_name("LATENT|MODEL");
  app.add_option("-p,--prompt", options->prompt, "What the models draw (" + std::string(default_prompt) + ")")
      ->type_name("TEXT");
  app.add_option("-s,--seed", options->seed, "Of all of them (" + std::to_string(default_seed) + ")")->type_name("N");
  declare_compute(app, options->place);
  app.add_option("-o,--output", options->folder, "Folder for the three files (matrix); made if it is not there")
      ->type_name("FOLDER")
      ->group("Output");
  app.add_flag("--json", options->json, "The JSON on stdout, instead of the files' names")->group("Output");
  app.add_flag("--overwrite", options->overwrite, "Replace files that exist")->group("Output");
  app.footer(footer);
  return [options] { return MatrixRun(*options).run(); };
}

}  // namespace lapis::cli
