#include <CLI/CLI.hpp>
#include <array>
#include <cstddef>
#include <filesystem>
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
#include "cli/terminal.hpp"
#include "core/latent/latents.hpp"
#include "core/picture/pixels.hpp"
#include "core/latent/preview.hpp"
#include "core/picture/resize.hpp"
#include "core/family/spaces.hpp"
#include "io/file/atomic_file.hpp"
#include "io/report/latent_report.hpp"
#include "io/model/model_folder.hpp"
#include "io/picture/png.hpp"
#include "io/file/sha256.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {
namespace {

constexpr const char* footer =
    "Examples:\n"
    "  lapis decode a.safetensors\n"
    "  lapis decode ComfyUI_00001_.latent --space sd15 -m ./models/my-sd15 -o a.png\n"
    "  lapis decode a.safetensors --preview -o small.png\n"
    "  lapis generate \"a red house\" --latent - | lapis decode - -o out.png\n"
    "\n"
    "A latent is decoded by the VAE that it comes from. That of another space is refused: lapis convert\n"
    "carries latents across. --force decodes all the same, and says so in the picture.";

struct Options {
  std::string latent;
  std::string output;
  std::string model;
  HintOptions hints;
  ComputeOptions place;
  bool force = false;
  bool preview = false;
  bool json = false;
  bool overwrite = false;
};

/// The run of one `decode`, from a parsed command line to files.
class DecodeRun {
 public:
  explicit DecodeRun(const Options& options) : options_(options) {}

  int run() {
    const EngineOptions place = engine_options(options_.place);
    check_options();
    latent_ = read_named_latent(options_.latent, latent_hints(options_.hints));
    if (options_.preview) {
      plan_preview();
    } else {
      plan_decoding();
    }
    check_outputs();
    timings_.read = seconds_since(start_);
    if (options_.preview) {
      show_previews();
    } else {
      decode(place);
    }
    return 0;
  }

 private:
  void check_options() const {
    if (options_.output == "-") check_stdout(options_.json, "a PNG", "lapis decode ... -o - > a.png");
    if (!options_.preview) return;
    if (options_.force) throw Error(ErrorKind::usage, "--preview needs no VAE, so there is nothing to --force");
    if (!options_.model.empty())
      throw Error(ErrorKind::usage, "--preview needs no VAE. Leave out --model or --preview");
  }

  void plan_preview() {
    const Passport& passport = latent_.passport();
    lineage_ = &colours_of(latent_.name, passport.space);
    if (passport.sigma > 0) notes_.push_back(latent_.name + " is unfinished: its noise shows in the preview");
  }

  void plan_decoding() {
    const Passport& passport = latent_.passport();
    std::optional<std::string> named;
    if (!options_.model.empty()) named = options_.model;
    std::optional<Model> model = own_model(passport, named);
    if (!model) refuse_without_vae(passport);
    model_ = std::move(*model);
    if (!model_.parts.contains("vae_decoder")) {
      throw Error(ErrorKind::model, model_.name + " has no vae_decoder.", "Name a model that has one: -m MODEL");
    }
    core::Destination destination = destination_of(model_);
    if (named) destination.name = *named;
    destination.size_multiple = 1;  // a VAE decodes any count of cells
    const core::Ruling ruling =
        core::judge(latent_.name, passport, latent_.latent.layout, destination, {false, false, false});
    forced_ = ruling.verdict == core::Verdict::refuse && options_.force;
    if (!forced_) core::require(ruling);
    if (!forced_) return;
    if (passport.sigma > 0) core::require(ruling);
    if (passport.space.channels != model_.space.channels) {
      throw Error(ErrorKind::incompatible, ruling.reason,
                  std::to_string(passport.space.channels) + " channels cannot even be forced through a VAE of " +
                      std::to_string(model_.space.channels) + ". " + ruling.advice);
    }
    notes_.push_back(latent_.name + ": " + core::space_name(passport.space) + " forced through the VAE of " +
                     core::space_name(model_.space) + ": the picture is not what the latent shows");
  }

  [[noreturn]] void refuse_without_vae(const Passport& passport) const {
    const bool alike = known_model([&](const Model& model) {
                         return core::same_values(model.space, passport.space) && model.parts.contains("vae_decoder");
                       }).has_value();
    const std::string side = core::space_name(passport.space) + " (" + core::space_numbers(passport.space) + ")";
    const std::string digest = passport.vae_sha256.substr(0, 12);
    throw Error(ErrorKind::incompatible,
                latent_.name + " is in space " + side + ", and no known model has its VAE" +
                    (alike ? ": those of that lineage have other digests than " + digest : "") + ".",
                "Name the model or folder that it comes from: lapis decode " + options_.latent + " -m MODEL");
  }

  int batch() const { return static_cast<int>(latent_.passport().shape[0]); }

  void check_outputs() {
    const std::optional<std::uint64_t> seed = io::recorded_number(latent_.passport(), "seed");
    const std::string stem = options_.latent == "-" ? "latent" : std::filesystem::path(options_.latent).stem().string();
    const std::string pattern = options_.output.empty() ? stem + ".png" : in_folder(options_.output, stem + ".png");
    if (!seed && pattern.find("{seed}") != std::string::npos) {
      throw Error(ErrorKind::usage, "-o " + pattern + ": " + latent_.name + " records no seed. Use {index}");
    }
    names_.emplace(pattern, seed.value_or(0), batch());
    for (int i = 0; !names_->is_stdout() && i < batch(); ++i) io::check_writable(names_->name(i), options_.overwrite);
  }

  void decode(const EngineOptions& place) {
    std::future<std::unique_ptr<Engine>> opening = open_engine(place);
    io::verify_parts(model_, std::array<std::string, 1>{"vae_decoder"});
    Latent latent = io::to_latent(latent_.latent.document);
    if (!forced_) latent = in_space(std::move(latent), model_.space);
    // What the latent's picture was decoded with when it was made, unless something else is said.
    const std::string recorded = io::recorded_text(latent_.passport(), "vae_tiling").value_or("auto");
    const bool said = options_.place.tiling != "auto";
    const std::string tiling = !said && (recorded == "on" || recorded == "off") ? recorded : options_.place.tiling;
    const auto waiting = Clock::now();
    Engine* engine = opening.get().release();  // never destroyed: the program leaves through _exit
    timings_.engine = seconds_since(waiting);
    engine->use(model_);
    for (const std::string& note : notes_) print_note(note);
    for (int i = 0; i < batch(); ++i) {
      Decoded decoded = engine->decode(core::picture_of(latent, i), tiling, forced_);
      timings_.parts = decoded.timings;
      save(decoded.images.front(), {i, model_.name, model_.space, forced_});
    }
  }

  void show_previews() {
    const Latent latent = in_space(io::to_latent(latent_.latent.document), core::coloured_space(*lineage_));
    const PixelSize size = core::picture_size(latent_.passport());
    for (const std::string& note : notes_) print_note(note);
    for (int i = 0; i < batch(); ++i) {
      const core::Pixels cells = core::pixels_of(core::preview(latent.values, latent.shape, i, *lineage_));
      save(core::rgb_image(core::resized(cells, size.width, size.height, core::Filter::lanczos)),
           {i, "", latent_.passport().space, false});
    }
  }

  void save(const Image& picture, const io::Decoding& decoding) {
    const auto saving = Clock::now();
    const std::vector<std::byte> png = io::encode_png(picture, io::decoded_text(latent_.passport(), decoding));
    const std::string path = names_->name(decoding.index);
    write_output(path, png, options_.overwrite);
    timings_.png = seconds_since(saving);
    timings_.total = seconds_since(start_);
    if (options_.json) {
      print_json(io::decoded_line({path,
                                   io::sha256(png),
                                   latent_.name,
                                   latent_.passport(),
                                   decoding,
                                   {picture.width, picture.height},
                                   notes_,
                                   timings_}));
    } else if (!names_->is_stdout()) {
      print_line(path);
    }
    flush_output();
  }

  const Options& options_;
  const Clock::time_point start_ = Clock::now();
  NamedLatent latent_;
  Model model_;
  const core::LineageRow* lineage_ = nullptr;
  bool forced_ = false;
  std::optional<OutputNames> names_;
  std::vector<std::string> notes_;
  io::RunTimings timings_;
};

}  // namespace

Run declare_decode(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("latent", options->latent, "Latent to decode, - for stdin")->type_name("LATENT")->required();
  app.add_option("-m,--model,--vae", options->model, "Name or folder of the model whose VAE decodes")
      ->type_name("NAME");
  app.add_flag("--force", options->force, "Decode by the VAE of another space all the same");
  app.add_flag("--preview", options->preview, "By the colours of the channels, without any model");
  declare_hints(app, options->hints);
  declare_compute(app, options->place);
  app.add_option("-o,--output", options->output, "PNG to write, - for stdout; {seed} and {index} are filled in")
      ->type_name("FILE")
      ->group("Output");
  app.add_flag("--json", options->json, "One JSON line a picture on stdout")->group("Output");
  app.add_flag("--overwrite", options->overwrite, "Replace files that exist")->group("Output");
  app.footer(footer);
  return [options] { return DecodeRun(*options).run(); };
}

}  // namespace lapis::cli
