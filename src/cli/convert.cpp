#include "pipeline/convert.hpp"

#include <array>
#include <memory>
#include <string>

#include "cli/commands.hpp"
#include "cli/latent_options.hpp"
#include "cli/option_group.hpp"
#include "cli/output_options.hpp"
#include "cli/progress.hpp"
#include "cli/route_text.hpp"
#include "cli/standard_streams.hpp"
#include "cli/terminal.hpp"
#include "io/report/check_report.hpp"
#include "pipeline/engine_options.hpp"
#include "pipeline/latent_outputs.hpp"
#include "pipeline/output_names.hpp"

namespace lapis::cli {
namespace {

constexpr const char* convert_footer =
    "Examples:\n"
    "  lapis convert a.safetensors --to tiny-sdxl -o b.safetensors\n"
    "  lapis convert a.safetensors --to tiny-flux --dry-run\n"
    "  lapis convert a.safetensors --format comfy -o a.latent\n"
    "  lapis convert old.npy --space flux --in-units model --in-size 1024x768 -o new.safetensors --format lapis\n"
    "  lapis generate \"a red house\" --latent - | lapis convert - --to tiny-sdxl -o - | lapis decode -\n"
    "\n"
    "Into another space a latent is decoded by its own VAE and encoded by the other one, and what that\n"
    "costs is measured: the picture before against the picture after.";

struct ConvertOptions {
  pipeline::ConvertWords words;
  pipeline::HintWords hints;
  pipeline::ComputeOptions compute;
  bool dry_run = false;
  bool no_convert = false;
  bool compensate = true;
  OutputOptions outputs;
};

/// What is asked, the latent read.
pipeline::ConvertAsked asked_of(const ConvertOptions& options, pipeline::ModelCatalog& catalog) {
  check_output(options.outputs);
  if (pipeline::output_name(options.words.output) == "-") {
    check_stdout(options.outputs, "-o", "a latent to the terminal. Pipe it: lapis convert ... -o - | lapis decode -");
  }
  pipeline::ConvertAsked asked = pipeline::convert_asked(options.words);
  asked.may_convert = !options.no_convert;
  asked.compensate = options.compensate;
  asked.tiling = options.compute.tiling;
  asked.latent = read_named_latent(options.words.latent, latent_hints(options.hints, catalog, in_flags));
  return asked;
}

void print_plan(const pipeline::ConvertPlan& plan, bool json) {
  if (json) {
    print_json(io::check_report(std::array{plan.checked()}));
  } else {
    print_route(plan.latent.name, plan.route, plan.latent.passport().shape[0] > 1);
  }
}

int convert(const ConvertOptions& options) {
  const pipeline::Outlet outlet = outlet_of(options.outputs);
  pipeline::EngineDoor door(engine_options(options.compute));
  pipeline::ModelCatalog catalog;
  pipeline::ConvertPlan plan = pipeline::plan_convert(asked_of(options, catalog), catalog);
  const pipeline::Output output = pipeline::plan_convert_output(options.words, plan, outlet, catalog);
  report_skipped(options.outputs, {&output, 1}, options.dry_run);
  if (output.stays) return 0;
  pipeline::verify(plan);
  if (options.dry_run) {
    if (plan.transcodes()) door.check();
    print_plan(plan, options.outputs.json);
    return 0;
  }
  Progress progress;
  const pipeline::Converted converted = pipeline::convert(plan, door, listener(progress));
  print_written(options.outputs, pipeline::save(converted, plan, output, outlet));
  return 0;
}

}  // namespace

Run declare_convert(CLI::App& app) {
  const auto options = std::make_shared<ConvertOptions>();
  pipeline::ConvertWords& words = options->words;
  const OptionGroup group(app);
  group.value("latent", words.latent, "LATENT", "Latent to convert, - for stdin")->required();
  group.value("--to", words.to, "NAME", "Where to: a model's name or folder, or a space");
  group.value("--from", words.from, "NAME", "Model whose VAE it comes from, where that is not known");
  group.value("--size", words.size, "WxH", "Of the picture in between: resized by Lanczos");
  group.flag("--compensate,!--no-compensate", options->compensate,
             "Shift colours against the VAE's drift, where that is nearer (the default)");
  group.flag("--no-convert", options->no_convert, "Refuse what would take a decode and an encode");
  group.flag("-n,--dry-run", options->dry_run, "Show the route and its cost, and do nothing");
  declare_hints(app, options->hints, in_flags);
  declare_compute(app, options->compute);
  OptionGroup(app, "Output").value("-o,--output", words.output, "FILE", "Latent to write, - for stdout");
  declare_output_format(app, words.format);
  declare_output_numbers(app, words.units, words.dtype);
  declare_output(app, options->outputs, "One JSON line on stdout");
  app.footer(convert_footer);
  return [options] { return convert(*options); };
}

}  // namespace lapis::cli
