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
#include "cli/places.hpp"
#include "cli/terminal.hpp"
#include "core/latent/latents.hpp"
#include "core/family/spaces.hpp"
#include "io/file/atomic_file.hpp"
#include "io/report/check_report.hpp"
#include "io/report/latent_report.hpp"
#include "io/file/sha256.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {
namespace {

constexpr const char* footer =
    "Examples:\n"
    "  lapis convert a.safetensors --to tiny-sdxl -o b.safetensors\n"
    "  lapis convert a.safetensors --to tiny-flux --dry-run\n"
    "  lapis convert a.safetensors --form comfy -o a.latent\n"
    "  lapis convert old.npy --space flux --in-units model --in-size 1024x768 -o new.safetensors --form lapis\n"
    "  lapis generate \"a red house\" --latent - | lapis convert - --to tiny-sdxl -o - | lapis decode -\n"
    "\n"
    "Into another space a latent is decoded by its own VAE and encoded by the other one, and what that\n"
    "costs is measured: the picture before against the picture after.";

struct Options {
  std::string latent;
  std::string to;
  std::string from;
  std::string output;
  std::string format;
  std::string units;
  std::string dtype;
  std::string size;
  HintOptions hints;
  ComputeOptions place;
  bool dry_run = false;
  bool no_convert = false;
  bool compensate = true;
  bool json = false;
  bool overwrite = false;
};

/// The run of one `convert`, from a parsed command line to a file.
class Conversion {
 public:
  explicit Conversion(const Options& options) : options_(options) {}

  int run() {
    const EngineOptions place = engine_options(options_.place);
    check_options();
    latent_ = read_named_latent(options_.latent, latent_hints(options_.hints, "in-"), "in-");
    plan_output();
    plan_route();
    if (output_ != "-") io::check_writable(output_, options_.overwrite);
    if (crosses()) verify_crossing(*own_, *target_);
    if (options_.dry_run) {
      if (crosses()) check_engine(place);
      print_route();
      return 0;
    }
    timings_.read = seconds_since(start_);
    io::LatentDocument document = converted(place);
    if (!options_.dtype.empty()) document.passport.dtype = parse_latent_dtype(options_.dtype, "--dtype");
    save(document);
    return 0;
  }

 private:
  void check_options() {
    if (options_.output == "-") {
      check_stdout(options_.json, "a latent", "lapis convert ... -o - | lapis decode -");
    }
    if (!options_.units.empty()) parse_units(options_.units, "--units");
    if (!options_.dtype.empty()) parse_latent_dtype(options_.dtype, "--dtype");
    if (!options_.size.empty()) size_ = parse_size(options_.size, "--size");
    const bool asks = !options_.to.empty() || !options_.format.empty() || !options_.units.empty() ||
                      !options_.dtype.empty() || size_ || !options_.output.empty();
    if (!asks) {
      throw Error(ErrorKind::usage,
                  "nothing says what the latent becomes. Name a model or a space (--to), a form (--form), --units, "
                  "--dtype or --size");
    }
  }

  /// The file, its form, and what that asks of the numbers.
  void plan_output() {
    format_ = output_format(options_.format, options_.output);
    io::check_format(format_, latent_.passport());
    const io::LatentFormatRow& row = io::latent_format_row(format_);
    if (row.units && !options_.units.empty() && parse_units(options_.units, "--units") != *row.units) {
      throw Error(ErrorKind::usage, "--units " + options_.units + " is not what form " + row.name + " holds: " +
                                        std::string(units_name(*row.units)) + " units. Leave one of the two out");
    }
    destination_.units = row.units.value_or(latent_.passport().units);
    if (!options_.units.empty()) destination_.units = parse_units(options_.units, "--units");
    output_ = options_.output.empty() ? default_output(row) : in_folder(options_.output, default_output(row));
  }

  /// "a-tiny-sdxl.safetensors": in this folder, beside nothing that is there.
  std::string default_output(const io::LatentFormatRow& row) const {
    const std::string stem = options_.latent == "-" ? "latent" : std::filesystem::path(options_.latent).stem().string();
    std::string what = options_.to.empty() ? options_.format : std::filesystem::path(options_.to).filename().string();
    for (const std::string* word : {&options_.units, &options_.dtype, &options_.size}) {
      if (what.empty()) what = *word;
    }
    for (char& c : what) c = c == ':' ? '-' : c;
    return stem + "-" + what + (row.endings.empty() ? ".safetensors" : row.endings.front());
  }

  void plan_route() {
    const Passport& passport = latent_.passport();
    const Space& from = passport.space;
    name_destination();
    const bool resizes = size_ && *size_ != core::picture_size(passport);
    const bool crosses = resizes || !core::same_values(from, destination_.space);
    if (crosses) find_models();
    const core::SpaceRow* space = core::find_space(destination_.space.id);
    if (io::latent_format_row(format_).packs && space != nullptr && space->packing > 1)
      destination_.layout = core::Layout::packed;
    destination_.size = size_;
    const core::Means means = {own_ && own_->parts.contains("vae_decoder"),
                               target_ && target_->parts.contains("vae_encoder"), !options_.no_convert};
    ruling_ = core::judge(latent_.name, passport, latent_.latent.layout, destination_, means);
    if (ruling_.verdict == core::Verdict::refuse && crosses && !means.target_encoder) advise_target();
    core::require(ruling_);
    if (ruling_.verdict == core::Verdict::re_encode && options_.units.empty() && !io::latent_format_row(format_).units) {
      destination_.units = Units::model;
    }
  }

  /// What --to names: a space, or a model; without it, the latent's own space.
  void name_destination() {
    const Passport& passport = latent_.passport();
    const core::Destination wanted = destination_;
    if (options_.to.empty()) {
      destination_.name = core::space_name(passport.space);
      destination_.space = passport.space;
      destination_.vae_sha256 = passport.vae_sha256;
      return;
    }
    const Space space = named_space(options_.to, "--to");
    if (core::find_space(options_.to.substr(0, options_.to.find(':'))) == nullptr) {
      target_ = checked_model(options_.to);
      destination_ = destination_of(*target_);
    }
    destination_.name = options_.to;
    destination_.space = space;
    destination_.units = wanted.units;
  }

  /// The two models of a crossing, as far as they are known.
  void find_models() {
    const Passport& passport = latent_.passport();
    if (!options_.from.empty()) {
      own_ = own_model(passport, options_.from);
      core::Destination decoder = destination_of(*own_);
      decoder.name = options_.from;
      decoder.size_multiple = 1;
      core::require(core::judge(latent_.name, passport, latent_.latent.layout, decoder, {false, false, false}));
    } else {
      own_ = own_model(passport, std::nullopt);
    }
    if (!target_) {
      target_ = options_.to.empty() ? own_ : encoding_model(destination_.space);
      if (target_) destination_.size_multiple = destination_of(*target_).size_multiple;
    }
  }

  /// No known model encodes into the space that was named: those of other lineages may be meant.
  void advise_target() {
    const auto alike = known_model([&](const Model& model) {
      return model.space.id == destination_.space.id && model.parts.contains("vae_encoder");
    });
    if (!alike) return;
    ruling_.advice = "No known model has the VAE of " + core::space_name(destination_.space) + "; " + alike->name +
                     " lives in " + core::space_name(alike->space) + ": lapis convert " + options_.latent + " --to " +
                     alike->name;
  }

  bool crosses() const { return ruling_.verdict == core::Verdict::re_encode; }

  CrossingOptions crossing() const { return {options_.place.tiling, size_, true, options_.compensate}; }

  void print_route() const {
    const Passport& passport = latent_.passport();
    if (!options_.json) {
      cli::print_route(latent_.name, ruling_, crossing(), passport.shape[0] > 1);
      return;
    }
    io::Checked checked{
        latent_.name, destination_.name, core::space_name(passport.space), core::space_name(destination_.space),
        ruling_,      passport.shape[0]};
    count_measuring(crossing(), checked.ruling);
    print_json(io::check_report(std::array{std::move(checked)}));
  }

  io::LatentDocument converted(const EngineOptions& place) {
    const io::LatentDocument& document = latent_.latent.document;
    if (!crosses()) {
      io::LatentDocument result = rescaled(document, destination_.space, destination_.units);
      const std::vector<Crossing>& history = result.passport.history;
      if (history.size() > document.passport.history.size()) print_note(announcement(latent_.name, history.back()));
      return result;
    }
    std::future<std::unique_ptr<Engine>> opening = open_engine(place);
    const auto waiting = Clock::now();
    Engine* engine = opening.get().release();  // never destroyed: the program leaves through _exit
    timings_.engine = seconds_since(waiting);
    Crossed crossed = cross(document, *own_, *target_, crossing(), *engine);
    timings_.parts = crossed.timings;
    psnr_ = crossed.document.passport.history.back().psnr;
    compensated_ = crossed.compensated;
    plain_psnr_ = crossed.plain_psnr;
    print_note(announcement(latent_.name, crossed));
    return rescaled(crossed.document, destination_.space, destination_.units);
  }

  void save(const io::LatentDocument& document) {
    const auto saving = Clock::now();
    const std::vector<std::byte> bytes = io::write_latent(document, format_);
    write_output(output_, bytes, options_.overwrite);
    if (output_ == "-") return;
    timings_.png = seconds_since(saving);
    timings_.total = seconds_since(start_);
    if (!options_.json) {
      print_line(output_);
      return;
    }
    io::LatentReport report;
    report.path = output_;
    report.sha256 = io::sha256(bytes);
    report.format = format_;
    report.passport = document.passport;
    report.from = core::space_name(latent_.passport().space);
    report.route = core::verdict_name(ruling_.verdict);
    report.size = core::picture_size(document.passport);
    report.psnr = psnr_;
    report.compensated = compensated_;
    report.plain_psnr = plain_psnr_;
    report.timings = timings_;
    print_json(io::latent_file_line(report));
  }

  const Options& options_;
  const Clock::time_point start_ = Clock::now();
  NamedLatent latent_;
  io::LatentFormat format_ = io::LatentFormat::lapis;
  std::string output_;
  std::optional<PixelSize> size_;
  core::Destination destination_;
  std::optional<Model> own_;
  std::optional<Model> target_;
  core::Ruling ruling_;
  std::optional<double> psnr_;
  int compensated_ = 0;
  std::optional<double> plain_psnr_;
  io::RunTimings timings_;
};

}  // namespace

Run declare_convert(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("latent", options->latent, "Latent to convert, - for stdin")->type_name("LATENT")->required();
  app.add_option("--to", options->to, "Where to: a model's name or folder, or a space")->type_name("NAME");
  app.add_option("--from", options->from, "Model whose VAE it comes from, where that is not known")->type_name("NAME");
  app.add_option("--size", options->size, "Of the picture in between: resized by Lanczos")->type_name("WxH");
  app.add_flag("--compensate,!--no-compensate", options->compensate,
               "Shift colours against the VAE's drift, where that is nearer (the default)");
  app.add_flag("--no-convert", options->no_convert, "Refuse what would take a decode and an encode");
  app.add_flag("-n,--dry-run", options->dry_run, "Show the route and its cost, and do nothing");
  declare_hints(app, options->hints, "in-");
  declare_compute(app, options->place);
  app.add_option("-o,--output", options->output, "Latent to write, - for stdout")->type_name("FILE")->group("Output");
  app.add_option("--form", options->format, "Whose convention it keeps: lapis, comfy, diffusers, ...")
      ->type_name("NAME")
      ->group("Output");
  app.add_option("--units", options->units, "What its numbers are: model or vae")->type_name("NAME")->group("Output");
  app.add_option("--dtype", options->dtype, "f32, f16 or bf16")->type_name("NAME")->group("Output");
  app.add_flag("--json", options->json, "One JSON line on stdout")->group("Output");
  app.add_flag("--overwrite", options->overwrite, "Replace a file that exists")->group("Output");
  app.footer(footer);
  return [options] { return Conversion(*options).run(); };
}

}  // namespace lapis::cli
