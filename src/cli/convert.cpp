#include "pipeline/convert.hpp"

#include <CLI/CLI.hpp>
#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/latent_options.hpp"
#include "cli/output.hpp"
#include "cli/output_options.hpp"
#include "cli/progress.hpp"
#include "cli/route_text.hpp"
#include "cli/terminal.hpp"
#include "core/family/spaces.hpp"
#include "core/latent/latents.hpp"
#include "core/stopwatch.hpp"
#include "io/file/atomic_file.hpp"
#include "io/file/sha256.hpp"
#include "io/report/check_report.hpp"
#include "io/report/latent_report.hpp"
#include "lapis/error.hpp"
#include "pipeline/output_names.hpp"

namespace lapis::cli {
namespace {

constexpr const char* footer =
    "Examples:\n"
    "  lapis convert a.safetensors --to tiny-sdxl -o b.safetensors\n"
    "  lapis convert a.safetensors --to tiny-flux --dry-run\n"
    "  lapis convert a.safetensors --format comfy -o a.latent\n"
    "  lapis convert old.npy --space flux --in-units model --in-size 1024x768 -o new.safetensors --format lapis\n"
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
  pipeline::HintWords hints;
  pipeline::ComputeOptions compute;
  bool dry_run = false;
  bool no_convert = false;
  bool compensate = true;
  OutputOptions outputs;
};

/// Refuses words that mean nothing, and a line that asks for nothing.
void check(const Options& options) {
  check_output(options.outputs);
  if (options.output == "-") check_stdout(options.outputs, "a latent", "lapis convert ... -o - | lapis decode -");
  if (!options.units.empty()) pipeline::parse_units(options.units, "units");
  if (!options.dtype.empty()) pipeline::parse_latent_dtype(options.dtype, "dtype");
  if (!options.size.empty()) pipeline::parse_size(options.size, "size");
  for (const std::string* word :
       {&options.to, &options.format, &options.units, &options.dtype, &options.size, &options.output}) {
    if (!word->empty()) return;
  }
  throw Error(ErrorKind::usage,
              "nothing says what the latent becomes. Name a model or a space (--to), a form (--format), --units, "
              "--dtype or --size");
}

pipeline::ConvertAsked convert_asked(const Options& options, pipeline::ModelCatalog& catalog) {
  pipeline::ConvertAsked asked;
  asked.latent = read_named_latent(options.latent, latent_hints(options.hints, catalog, in_flags));
  asked.path = options.latent;
  asked.to = options.to;
  asked.from = options.from;
  asked.format = output_format(options.format, options.output);
  if (!options.units.empty()) asked.units = pipeline::parse_units(options.units, "units");
  if (!options.dtype.empty()) asked.dtype = pipeline::parse_latent_dtype(options.dtype, "dtype");
  if (!options.size.empty()) asked.size = pipeline::parse_size(options.size, "size");
  asked.may_convert = !options.no_convert;
  asked.compensate = options.compensate;
  asked.tiling = options.compute.tiling;
  return asked;
}

/// "a-tiny-sdxl.safetensors": in this folder, beside nothing that is there.
std::string default_output(const Options& options, const io::LatentFormatRow& row) {
  const std::string stem = options.latent == "-" ? "latent" : std::filesystem::path(options.latent).stem().string();
  std::string what = options.to.empty() ? options.format : std::filesystem::path(options.to).filename().string();
  for (const std::string* word : {&options.units, &options.dtype, &options.size}) {
    if (what.empty()) what = *word;
  }
  for (char& c : what) c = c == ':' ? '-' : c;
  return stem + "-" + what + (row.endings.empty() ? ".safetensors" : row.endings.front());
}

void print_plan(const pipeline::ConvertPlan& plan, bool json) {
  if (json) {
    print_json(io::check_report(std::array{plan.checked()}));
  } else {
    print_route(plan.latent.name, plan.route, plan.latent.passport().shape[0] > 1);
  }
}

io::LatentReport report_on(const pipeline::ConvertPlan& plan, const pipeline::Converted& converted) {
  const Passport& passport = converted.document.passport;
  io::LatentReport report;
  report.format = plan.format;
  report.passport = passport;
  report.from = core::space_name(plan.latent.passport().space);
  report.route = core::verdict_name(core::verdict(plan.route));
  report.size = core::picture_size(passport);
  report.psnr = converted.measured.psnr;
  report.compensated = converted.measured.compensated;
  report.plain_psnr = converted.measured.plain_psnr;
  report.timings.parts = converted.timings;
  return report;
}

int convert(const Options& options) {
  const core::Stopwatch start;
  pipeline::EngineDoor door(engine_options(options.compute));
  check(options);
  pipeline::ModelCatalog catalog;
  const pipeline::ConvertPlan plan = pipeline::plan_convert(convert_asked(options, catalog), catalog);
  const std::string usual = default_output(options, io::latent_format_row(plan.format));
  const std::string output = options.output.empty() ? usual : pipeline::in_folder(options.output, usual);
  if (output != "-" && stays(options.outputs, output)) {
    report_skipped(options.outputs, output, std::nullopt, options.dry_run);
    return 0;
  }
  if (output != "-") io::check_writable(output, options.outputs.overwrite);
  pipeline::verify(plan);
  if (options.dry_run) {
    if (plan.transcodes()) door.check();
    print_plan(plan, options.outputs.json);
    return 0;
  }
  const double read = start.seconds();
  Progress progress;
  const pipeline::Converted converted = pipeline::convert(plan, door, listener(progress));
  const core::Stopwatch saving;
  const std::vector<std::byte> bytes = io::write_latent(converted.document, plan.format);
  write_output(output, bytes, options.outputs.overwrite);
  if (output == "-") return 0;
  if (!options.outputs.json) {
    print_line(output);
    return 0;
  }
  io::LatentReport report = report_on(plan, converted);
  report.path = output;
  report.sha256 = io::sha256(bytes);
  report.timings.read = read;
  report.timings.engine = door.waited();
  report.timings.png = saving.seconds();
  report.timings.total = start.seconds();
  print_json(io::latent_file_line(report));
  return 0;
}

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
  declare_hints(app, options->hints, in_flags);
  declare_compute(app, options->compute);
  app.add_option("-o,--output", options->output, "Latent to write, - for stdout")->type_name("FILE")->group("Output");
  declare_output_format(app, options->format);
  declare_output_numbers(app, options->units, options->dtype);
  declare_output(app, options->outputs, "One JSON line on stdout");
  app.footer(footer);
  return [options] {
    options->output = output_name(options->output);
    return convert(*options);
  };
}

}  // namespace lapis::cli
