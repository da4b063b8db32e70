#include <CLI/CLI.hpp>
#include <array>
#include <cstddef>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/clock.hpp"
#include "cli/commands.hpp"
#include "cli/crossing.hpp"
#include "cli/engine_library.hpp"
#include "cli/latent_options.hpp"
#include "cli/output.hpp"
#include "cli/output_names.hpp"
#include "cli/source.hpp"
#include "cli/terminal.hpp"
#include "core/job/job_fields.hpp"
#include "core/latent/latents.hpp"
#include "io/file/atomic_file.hpp"
#include "io/report/latent_report.hpp"
#include "io/model/model_folder.hpp"
#include "io/file/sha256.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {
namespace {

constexpr const char* footer =
    "Examples:\n"
    "  lapis encode lake.jpg -m tiny-sd15\n"
    "  lapis encode lake.jpg -m tiny-sdxl -W 512 --fit crop -o lake.safetensors\n"
    "  lapis encode a.png b.png -m tiny-sd15 -W 256 -H 256 -o both.safetensors\n"
    "  lapis encode *.png -m tiny-sd15 -o \"{index}-{name}.latent\"\n"
    "\n"
    "Without -o each picture's latent goes to {name}.safetensors.";

constexpr const char* default_output = "{name}.safetensors";

struct Options {
  std::vector<std::string> images;
  Job job;
  std::string output = default_output;
  std::string format;
  ComputeOptions place;
  bool json = false;
  bool overwrite = false;
};

/// What a sample is drawn with: a seed, for without one the mean is taken.
std::uint64_t picture_seed(const std::string& text) {
  if (const auto seed = core::parse_seed(text, "--seed")) return *seed;
  throw Error(ErrorKind::usage,
              "--seed is \"" + text + "\"; expected one that is not random. Leave it out for the mean");
}

/// A picture on its way: its file, read and measured, and the job that says how it is brought to size.
struct Picture {
  Source source;
  ResolvedJob job;

  PixelSize size() const { return {job.width, job.height}; }
};

/// The run of one `encode`, from a parsed command line to files.
class EncodeRun {
 public:
  explicit EncodeRun(const Options& options) : options_(options) {}

  int run() {
    const EngineOptions place = engine_options(options_.place);
    const std::string output = in_folder(options_.output, default_output);
    format_ = output_format(options_.format, output);
    io::check_format(format_, {});
    names_.emplace(output, options_.images);
    if (names_->is_stdout()) check_stdout(options_.json, "a latent", "lapis encode ... -o - | lapis decode -");
    check_seed();
    model_ = checked_model(options_.job.model);
    for (std::size_t i = 0; i < options_.images.size(); ++i) open_picture(i);
    if (names_->is_one_file()) check_one_size();
    for (const std::string& file : names_->files()) {
      if (file != "-") io::check_writable(file, options_.overwrite);
    }
    timings_.read = seconds_since(start_);
    encode(place);
    return 0;
  }

 private:
  void check_seed() const {
    if (!options_.job.seed) return;
    const auto problem = core::seed_problem("--seed", *options_.job.seed, options_.images.size());
    if (problem) throw Error(ErrorKind::usage, *problem);
  }

  void open_picture(std::size_t index) {
    Job job = options_.job;
    job.image = options_.images[index];
    job.strength = 1;  // of a walk that is not walked: 1 fits every model
    Source source(job, model_);
    ResolvedJob resolved = core::resolve(job, model_, 0);
    pictures_.push_back({std::move(source), std::move(resolved)});
  }

  void check_one_size() const {
    const PixelSize first = pictures_.front().size();
    for (std::size_t i = 1; i < pictures_.size(); ++i) {
      const PixelSize size = pictures_[i].size();
      if (size == first) continue;
      throw Error(ErrorKind::usage,
                  "one latent holds pictures of one size; " + options_.images.front() + " comes to " +
                      core::size_text(first) + " pixels, " + options_.images[i] + " to " + core::size_text(size) + ".",
                  "Say the size (-W and -H), or give each its own file: -o \"{name}.safetensors\"");
    }
  }

  void encode(const EngineOptions& place) {
    std::future<std::unique_ptr<Engine>> opening = open_engine(place);
    io::verify_parts(model_, std::array<std::string, 1>{"vae_encoder"});
    for (Picture& picture : pictures_) {
      images_.push_back(picture.source.fitted(picture.job, model_.space.downscale).image);
      for (const std::string& note : picture.source.notes()) print_note(note);
    }
    const auto waiting = Clock::now();
    Engine* engine = opening.get().release();  // never destroyed: the program leaves through _exit
    timings_.engine = seconds_since(waiting);
    engine->use(model_);
    Latent latent;
    for (std::size_t i = 0; i < pictures_.size(); ++i) {
      if (!names_->is_one_file()) latent = {};
      Encoded encoded = engine->encode(images_[i], options_.place.tiling, seed_of(i));
      timings_.parts += encoded.timings;
      core::append(latent, std::move(encoded.latent));
      if (!names_->is_one_file()) save(latent, i, 1);
    }
    if (names_->is_one_file()) save(latent, 0, pictures_.size());
  }

  /// Picture i of a batch draws from a generator of its own, as in generate.
  std::optional<std::uint64_t> seed_of(std::size_t index) const {
    if (!options_.job.seed) return std::nullopt;
    return *options_.job.seed + index;
  }

  /// Writes the latent of `count` pictures from `first` on.
  void save(const Latent& latent, std::size_t first, std::size_t count) {
    const auto saving = Clock::now();
    io::LatentReport report;
    report.size = pictures_[first].size();
    for (std::size_t i = first; i < first + count; ++i) {
      report.pictures.push_back(*pictures_[i].job.image);
      const std::vector<std::string>& notes = pictures_[i].source.notes();
      report.notes.insert(report.notes.end(), notes.begin(), notes.end());
    }
    Passport passport;
    passport.space = latent.space;
    passport.shape = latent.shape;
    passport.vae_sha256 = io::vae_digest(model_);
    passport.job = io::encoding_job(report.pictures, report.size, *pictures_[first].job.fit, seed_of(first), model_);
    const io::LatentDocument document = io::to_document(latent, std::move(passport));
    const std::vector<std::byte> bytes = io::write_latent(document, format_);
    report.path = names_->files()[names_->is_one_file() ? 0 : first];
    write_output(report.path, bytes, options_.overwrite);
    if (options_.json) {
      timings_.png = seconds_since(saving);
      timings_.total = seconds_since(start_);
      report.sha256 = io::sha256(bytes);
      report.format = format_;
      report.passport = document.passport;
      report.model = model_.name;
      report.timings = timings_;
      print_json(io::latent_file_line(report));
    } else if (report.path != "-") {
      print_line(report.path);
    }
    flush_output();
  }

  const Options& options_;
  const Clock::time_point start_ = Clock::now();
  io::LatentFormat format_ = io::LatentFormat::lapis;
  std::optional<LatentNames> names_;
  Model model_;
  std::vector<Picture> pictures_;
  std::vector<Image> images_;
  io::RunTimings timings_;
};

}  // namespace

Run declare_encode(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  Job& job = options->job;
  app.add_option("images", options->images, "Pictures to encode, - for stdin")->type_name("IMAGE")->required();
  app.add_option("-m,--model", job.model, "Name or folder of the model whose VAE encodes")
      ->type_name("NAME")
      ->required();
  app.add_option("-W,--width", job.width, "Width of the picture that is encoded")
      ->type_name("PIXELS")
      ->group("Picture");
  app.add_option("-H,--height", job.height, "Its height")->type_name("PIXELS")->group("Picture");
  app.add_option("--fit", job.fit, "Another shape: stretch, crop or pad it")->type_name("NAME")->group("Picture");
  app.add_option_function<std::string>(
         "-s,--seed", [&job](const std::string& text) { job.seed = picture_seed(text); },
         "Draw from what the VAE says, as diffusers does; else its mean")
      ->type_name("N")
      ->group("Picture");
  declare_compute(app, options->place);
  app.add_option("-o,--output", options->output, "Latent to write, - for stdout; {index} and {name}: one a picture")
      ->type_name("FILE")
      ->group("Output");
  app.add_option("--form", options->format, "Whose convention it keeps: lapis, or lapis list forms")
      ->type_name("NAME")
      ->group("Output");
  app.add_flag("--json", options->json, "One JSON line a latent on stdout")->group("Output");
  app.add_flag("--overwrite", options->overwrite, "Replace files that exist")->group("Output");
  app.footer(footer);
  return [options] { return EncodeRun(*options).run(); };
}

}  // namespace lapis::cli
