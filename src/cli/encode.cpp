#include "pipeline/encode.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cli/commands.hpp"
#include "cli/latent_options.hpp"
#include "cli/output.hpp"
#include "cli/output_options.hpp"
#include "cli/progress.hpp"
#include "cli/spelling.hpp"
#include "cli/terminal.hpp"
#include "core/job/job_fields.hpp"
#include "core/stopwatch.hpp"
#include "core/text/sentence.hpp"
#include "io/file/atomic_file.hpp"
#include "io/file/sha256.hpp"
#include "io/report/latent_report.hpp"
#include "lapis/error.hpp"
#include "pipeline/output_names.hpp"

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
  pipeline::ComputeOptions compute;
  OutputOptions outputs;
};

/// What a sample is drawn with: a seed, for without one the mean is taken.
std::uint64_t picture_seed(const std::string& text) {
  if (const auto seed = core::parse_seed(text, "--seed")) return *seed;
  throw Error(ErrorKind::usage,
              core::sentence("--seed is \"{}\"; expected one that is not random. Leave it out for the mean", text));
}

void save(const Options& options, const std::string& path, io::LatentFormat format, const std::string& model,
          const pipeline::EncodedPictures& encoded, io::RunTimings timings, const core::Stopwatch& start) {
  const core::Stopwatch saving;
  const std::vector<std::byte> bytes = io::write_latent(encoded.document, format);
  write_output(path, bytes, options.outputs.overwrite);
  if (options.outputs.json) {
    timings.parts = encoded.timings;
    timings.png = saving.seconds();
    timings.total = start.seconds();
    io::LatentReport report;
    report.path = path;
    report.sha256 = io::sha256(bytes);
    report.format = format;
    report.passport = encoded.document.passport;
    report.model = model;
    report.pictures = encoded.pictures;
    report.size = encoded.size;
    report.notes = spelled(encoded.notes);
    report.timings = timings;
    print_json(io::latent_file_line(report));
  } else if (path != "-") {
    print_line(path);
  }
  flush_output();
}

/// Leaves pictures out of a plan whose latents are there and stay; the others can be written. Whether none is left.
bool narrow(pipeline::EncodePlan& plan, const pipeline::LatentNames& names, const OutputOptions& outputs) {
  const std::vector<std::string>& files = names.files();
  std::vector<std::size_t> skipped;
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (stays(outputs, files[i])) {
      skipped.push_back(i);
    } else if (files[i] != "-") {
      io::check_writable(files[i], outputs.overwrite);
    }
  }
  for (const std::size_t i : skipped) report_skipped(outputs, files[i]);
  if (names.is_one_file()) return !skipped.empty();
  std::erase_if(plan.pictures, [&](const pipeline::PictureInput& picture) {
    return std::ranges::find(skipped, picture.index) != skipped.end();
  });
  return plan.pictures.empty();
}

int encode(const Options& options) {
  const core::Stopwatch start;
  pipeline::EngineDoor door(engine_options(options.compute));
  const std::string output = pipeline::in_folder(options.output, default_output);
  const io::LatentFormat format = output_format(options.format, output);
  io::check_can_hold(format, {});
  const pipeline::LatentNames names(output, options.images);
  check_output(options.outputs);
  if (names.is_stdout()) check_stdout(options.outputs, "a latent", "lapis encode ... -o - | lapis decode -");
  for (const std::string& image : options.images) check_stdin(image, "a picture", "lapis ... - < a.png");
  pipeline::ModelCatalog catalog;
  pipeline::EncodePlan plan =
      pipeline::plan_encode({options.images, options.job, options.compute.tiling, names.is_one_file()}, catalog);
  if (narrow(plan, names, options.outputs)) return 0;
  io::RunTimings timings;
  timings.read = start.seconds();
  Progress progress;
  const std::string model = plan.model->name;
  pipeline::encode(std::move(plan), door, listener(progress), [&](const pipeline::EncodedPictures& encoded) {
    timings.engine = door.waited();
    save(options, names.files()[names.is_one_file() ? 0 : encoded.first], format, model, encoded, timings, start);
  });
  return 0;
}

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
  app.add_option("--fit", job.fit, core::help_text(core::find_job_field("fit")))->type_name("NAME")->group("Picture");
  app.add_option_function<std::string>(
         "-s,--seed", [&job](const std::string& text) { job.seed = picture_seed(text); },
         "Draw from what the VAE says, as diffusers does; else its mean")
      ->type_name("N")
      ->group("Picture");
  declare_compute(app, options->compute);
  app.add_option("-o,--output", options->output, "Latent to write, - for stdout; {index} and {name}: one a picture")
      ->type_name("FILE")
      ->group("Output");
  declare_output_format(app, options->format);
  declare_output(app, options->outputs, "One JSON line a latent on stdout");
  app.footer(footer);
  return [options] {
    options->output = output_name(options->output);
    return encode(*options);
  };
}

}  // namespace lapis::cli
