#include "pipeline/decode.hpp"

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.hpp"
#include "cli/latent_options.hpp"
#include "cli/output.hpp"
#include "cli/output_options.hpp"
#include "cli/progress.hpp"
#include "cli/terminal.hpp"
#include "core/stopwatch.hpp"
#include "core/text/sentence.hpp"
#include "io/file/atomic_file.hpp"
#include "io/file/sha256.hpp"
#include "io/picture/png.hpp"
#include "io/report/latent_report.hpp"
#include "lapis/error.hpp"
#include "pipeline/output_names.hpp"
#include "pipeline/preview.hpp"

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
  pipeline::HintWords hints;
  pipeline::ComputeOptions compute;
  bool force = false;
  bool preview = false;
  OutputOptions outputs;
};

void check(const Options& options) {
  check_output(options.outputs);
  if (options.output == "-") check_stdout(options.outputs, "a PNG", "lapis decode ... -o - > a.png");
  if (!options.preview) return;
  if (options.force) throw Error(ErrorKind::usage, "--preview needs no VAE, so there is nothing to --force");
  if (!options.model.empty()) throw Error(ErrorKind::usage, "--preview needs no VAE. Leave out --model or --preview");
}

/// Names for the pictures of a latent; each can be written, or stays.
pipeline::OutputNames output_names(const Options& options, const pipeline::NamedLatent& latent) {
  const std::optional<std::uint64_t> seed = io::recorded_number(latent.passport(), "seed");
  const std::string stem = options.latent == "-" ? "latent" : std::filesystem::path(options.latent).stem().string();
  const std::string pattern =
      options.output.empty() ? stem + ".png" : pipeline::in_folder(options.output, stem + ".png");
  if (!seed && pattern.find("{seed}") != std::string::npos) {
    throw Error(ErrorKind::usage, core::sentence("-o {}: {} records no seed. Use {{index}}", pattern, latent.name));
  }
  const int batch = static_cast<int>(latent.passport().shape[0]);
  pipeline::OutputNames names(pattern, seed.value_or(0), batch);
  for (int i = 0; !names.is_stdout() && i < batch; ++i) {
    if (!stays(options.outputs, names.name(i))) io::check_writable(names.name(i), options.outputs.overwrite);
  }
  return names;
}

/// What writes each picture of a latent.
class PictureWriter {
 public:
  PictureWriter(const Options& options, const pipeline::NamedLatent& latent, const std::vector<std::string>& notes,
                const pipeline::EngineDoor& door, const core::Stopwatch& start)
      : options_(options),
        latent_(latent),
        notes_(notes),
        door_(door),
        start_(start),
        names_(output_names(options, latent)),
        read_(start.seconds()) {
    const int batch = static_cast<int>(latent.passport().shape[0]);
    for (int i = 0; i < batch; ++i) {
      if (!stays(options.outputs, names_.name(i))) {
        wanted_.push_back(i);
      } else {
        report_skipped(options.outputs, names_.name(i), i);
      }
    }
  }

  /// The pictures that are written, counted from 0.
  const std::vector<int>& wanted() const { return wanted_; }

  void write(const pipeline::DecodedPicture& picture) const {
    const core::Stopwatch saving;
    const std::vector<std::byte> png =
        io::encode_png(picture.image, io::decoded_text(latent_.passport(), picture.decoding));
    const std::string path = names_.name(picture.decoding.index);
    write_output(path, png, options_.outputs.overwrite);
    if (options_.outputs.json) {
      io::RunTimings timings;
      timings.read = read_;
      timings.engine = door_.waited();
      timings.parts = picture.timings;
      timings.png = saving.seconds();
      timings.total = start_.seconds();
      print_json(io::decoded_line({path,
                                   io::sha256(png),
                                   latent_.name,
                                   latent_.passport(),
                                   picture.decoding,
                                   {picture.image.width, picture.image.height},
                                   notes_,
                                   timings}));
    } else if (!names_.is_stdout()) {
      print_line(path);
    }
    flush_output();
  }

 private:
  const Options& options_;
  const pipeline::NamedLatent& latent_;
  const std::vector<std::string>& notes_;
  const pipeline::EngineDoor& door_;
  core::Stopwatch start_;
  pipeline::OutputNames names_;
  double read_;
  std::vector<int> wanted_;
};

int decode(const Options& options) {
  const core::Stopwatch start;
  pipeline::EngineDoor door(engine_options(options.compute));
  check(options);
  pipeline::ModelCatalog catalog;
  pipeline::NamedLatent latent = read_named_latent(options.latent, latent_hints(options.hints, catalog));
  Progress progress;
  const Events events = listener(progress);
  if (options.preview) {
    pipeline::PreviewPlan plan = pipeline::plan_preview(std::move(latent));
    const PictureWriter writer(options, plan.latent, plan.notes, door, start);
    if (plan.wanted = writer.wanted(); plan.wanted.empty()) return 0;
    pipeline::preview(plan, events, [&](const pipeline::DecodedPicture& picture) { writer.write(picture); });
    return 0;
  }
  pipeline::DecodePlan plan = pipeline::plan_decode(
      {std::move(latent), options.latent, options.model, options.force, options.compute.tiling}, catalog);
  const PictureWriter writer(options, plan.latent, plan.notes, door, start);
  if (plan.wanted = writer.wanted(); plan.wanted.empty()) return 0;
  pipeline::decode(plan, door, events, [&](const pipeline::DecodedPicture& picture) { writer.write(picture); });
  return 0;
}

}  // namespace

Run declare_decode(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("latent", options->latent, "Latent to decode, - for stdin")->type_name("LATENT")->required();
  app.add_option("-m,--model,--vae", options->model, "Name or folder of the model whose VAE decodes")
      ->type_name("NAME");
  app.add_flag("--force", options->force, "Decode by the VAE of another space all the same");
  app.add_flag("--preview", options->preview, "By the colours of the channels, without any model");
  declare_hints(app, options->hints);
  declare_compute(app, options->compute);
  app.add_option("-o,--output", options->output, "PNG to write, - for stdout; {seed} and {index} are filled in")
      ->type_name("FILE")
      ->group("Output");
  declare_output(app, options->outputs, "One JSON line a picture on stdout");
  app.footer(footer);
  return [options] {
    options->output = output_name(options->output);
    return decode(*options);
  };
}

}  // namespace lapis::cli
