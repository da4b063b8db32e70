#include "pipeline/encode.hpp"

#include <memory>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/latent_options.hpp"
#include "cli/option_group.hpp"
#include "cli/output_options.hpp"
#include "cli/progress.hpp"
#include "cli/standard_streams.hpp"
#include "core/job/job_fields.hpp"
#include "core/text/sentence.hpp"
#include "lapis/error.hpp"
#include "pipeline/engine_options.hpp"
#include "pipeline/latent_outputs.hpp"

namespace lapis::cli {
namespace {

constexpr const char* encode_footer =
    "Examples:\n"
    "  lapis encode lake.jpg -m tiny-sd15\n"
    "  lapis encode lake.jpg -m tiny-sdxl -W 512 --fit crop -o lake.safetensors\n"
    "  lapis encode a.png b.png -m tiny-sd15 -W 256 -H 256 -o both.safetensors\n"
    "  lapis encode *.png -m tiny-sd15 -o \"{index}-{name}.latent\"\n"
    "\n"
    "Without -o each picture's latent goes to {name}.safetensors, or the ending of --format.";

struct EncodeOptions {
  std::vector<std::string> images;
  Job job;
  std::string output;
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

int encode(const EncodeOptions& options) {
  const pipeline::Outlet outlet = outlet_of(options.outputs);
  pipeline::EngineDoor door(engine_options(options.compute));
  check_stdin_once(options.images);
  pipeline::EncodeOutputs outputs = pipeline::name_encode_outputs(options.output, options.format, options.images);
  check_output(options.outputs);
  if (outputs.latents.front().path == "-") {
    check_stdout(options.outputs, "-o", "a latent to the terminal. Pipe it: lapis encode ... -o - | lapis decode -");
  }
  for (const std::string& image : options.images) check_stdin(image, "a picture", "lapis ... - < a.png");
  pipeline::ModelCatalog catalog;
  pipeline::EncodePlan plan =
      pipeline::plan_encode({options.images, options.job, options.compute.tiling, outputs.is_one()}, catalog);
  pipeline::plan_encode_outputs(outputs, plan, outlet, catalog);
  report_skipped(options.outputs, outputs.latents);
  if (pipeline::all_stay(outputs.latents)) return 0;
  Progress progress;
  pipeline::encode(plan, door, listener(progress), [&](const pipeline::EncodedPictures& encoded) {
    print_written(options.outputs, pipeline::save(encoded, plan, outputs, outlet));
  });
  return 0;
}

}  // namespace

Run declare_encode(CLI::App& app) {
  const auto options = std::make_shared<EncodeOptions>();
  Job& job = options->job;
  const OptionGroup group(app);
  group.value("images", options->images, "IMAGE", "Pictures to encode, - for stdin")->required();
  group.value("-m,--model", job.model, "NAME", "Name or folder of the model whose VAE encodes")->required();
  const OptionGroup picture(app, "Picture");
  picture.value("-W,--width", job.width, "PIXELS", "Width of the picture that is encoded");
  picture.value("-H,--height", job.height, "PIXELS", "Its height");
  picture.field("fit", job.fit);
  app.add_option_function<std::string>(
         "-s,--seed", [&job](const std::string& text) { job.seed = picture_seed(text); },
         "Draw from what the VAE says, as diffusers does; else its mean")
      ->type_name("N")
      ->group("Picture");
  declare_compute(app, options->compute);
  const OptionGroup output(app, "Output");
  output.value("-o,--output", options->output, "FILE",
               "Latent to write, - for stdout; {index} and {name}: one a picture");
  declare_output_format(app, options->format);
  declare_output(app, options->outputs, "One JSON line a latent on stdout");
  app.footer(encode_footer);
  return [options] { return encode(*options); };
}

}  // namespace lapis::cli
