#include "pipeline/decode.hpp"

#include <memory>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/latent_options.hpp"
#include "cli/option_group.hpp"
#include "cli/output_options.hpp"
#include "cli/progress.hpp"
#include "cli/standard_streams.hpp"
#include "lapis/error.hpp"
#include "pipeline/decode_outputs.hpp"
#include "pipeline/engine_options.hpp"
#include "pipeline/output_names.hpp"

namespace lapis::cli {
namespace {

constexpr const char* decode_footer =
    "Examples:\n"
    "  lapis decode a.safetensors\n"
    "  lapis decode ComfyUI_00001_.latent --space sd15 -m ./models/my-sd15 -o a.png\n"
    "  lapis decode a.safetensors --preview -o small.png\n"
    "  lapis generate \"a red house\" --latent - | lapis decode - -o out.png\n"
    "\n"
    "A latent is decoded by the VAE that it comes from. That of another space is refused: lapis convert\n"
    "carries latents across. --force decodes all the same, and says so in the picture.";

struct DecodeOptions {
  std::string latent;
  std::string output;
  std::string model;
  pipeline::HintWords hints;
  pipeline::ComputeOptions compute;
  bool force = false;
  bool preview = false;
  OutputOptions outputs;
};

void check(const DecodeOptions& options) {
  check_output(options.outputs);
  if (pipeline::output_name(options.output) == "-") {
    check_stdout(options.outputs, "-o", "a PNG to the terminal. Pipe it: lapis decode ... -o - > a.png");
  }
  if (!options.preview) return;
  if (options.force) throw Error(ErrorKind::usage, "--preview needs no VAE, so there is nothing to --force");
  if (!options.model.empty()) throw Error(ErrorKind::usage, "--preview needs no VAE. Leave out --model or --preview");
}

int decode(const DecodeOptions& options) {
  const pipeline::Outlet outlet = outlet_of(options.outputs);
  pipeline::EngineDoor door(engine_options(options.compute));
  check(options);
  pipeline::ModelCatalog catalog;
  pipeline::DecodeAsked asked;
  asked.latent = read_named_latent(options.latent, latent_hints(options.hints, catalog));
  asked.path = options.latent;
  asked.model = options.model;
  asked.force = options.force;
  asked.tiling = options.compute.tiling;
  asked.preview = options.preview;
  pipeline::DecodePlan plan = pipeline::plan_decode(std::move(asked), catalog);
  const std::vector<pipeline::Output> outputs =
      pipeline::plan_decode_outputs(options.output, options.latent, plan, outlet, catalog);
  report_skipped(options.outputs, outputs);
  if (pipeline::all_stay(outputs)) return 0;
  Progress progress;
  pipeline::decode(plan, door, listener(progress), [&](const pipeline::DecodedPicture& picture) {
    print_written(options.outputs, pipeline::save(picture, plan, outputs, outlet));
  });
  return 0;
}

}  // namespace

Run declare_decode(CLI::App& app) {
  const auto options = std::make_shared<DecodeOptions>();
  const OptionGroup group(app);
  group.value("latent", options->latent, "LATENT", "Latent to decode, - for stdin")->required();
  group.value("-m,--model,--vae", options->model, "NAME", "Name or folder of the model whose VAE decodes");
  group.flag("--force", options->force, "Decode by the VAE of another space all the same");
  group.flag("--preview", options->preview, "By the colours of the channels, without any model");
  declare_hints(app, options->hints);
  declare_compute(app, options->compute);
  OptionGroup(app, "Output").field("output", options->output);
  declare_output(app, options->outputs, "One JSON line a picture on stdout");
  app.footer(decode_footer);
  return [options] { return decode(*options); };
}

}  // namespace lapis::cli
