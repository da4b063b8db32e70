#include "pipeline/check.hpp"

#include <CLI/CLI.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/latent_options.hpp"
#include "cli/spelling.hpp"
#include "cli/terminal.hpp"
#include "core/latent/latents.hpp"
#include "core/latent/route.hpp"
#include "io/report/check_report.hpp"
#include "lapis/error.hpp"
#include "pipeline/locations.hpp"

namespace lapis::cli {
namespace {

constexpr const char* footer =
    "Examples:\n"
    "  lapis check a.safetensors tiny-sdxl\n"
    "  lapis check a.safetensors --to tiny-flux --vae tiny-sd15 --json\n"
    "  lapis check tiny-sd15 --vae path/to/vae\n"
    "  lapis check tiny-flux --size 520x512\n"
    "  lapis check old.npy --space sd15 --units vae --to tiny-sd15\n"
    "\n"
    "Answers from headers and model.json alone, in milliseconds, with the verdict (same, rescale, repack,\n"
    "re-encode, refuse), the reason, the route and its cost. Exit code 4 for a refusal.";

struct Options {
  std::vector<std::string> things;
  std::string to;
  std::string vae;
  std::string size;
  std::string space;
  std::string units;
  std::string format;
  std::string in_size;
  bool json = false;
};

std::string cost_text(const io::Checked& checked) {
  const auto counted = [&](std::int64_t count, const char* what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
  };
  const core::RouteCost cost = core::cost(checked.route);
  const PixelSize size = checked.route.size;
  std::string text =
      counted(checked.pictures * cost.decodes, "decode") + " and " + counted(checked.pictures * cost.encodes, "encode");
  if (size.width > 0) text += " of " + core::size_text(size) + " pixels";
  return text;
}

void print_checked(const io::Checked& checked) {
  const core::Route& route = checked.route;
  print_line(std::string(core::verdict_name(core::verdict(route))) + ": " + checked.latent +
             (checked.destination.empty() ? "" : " -> " + checked.destination));
  print_line("  " + route.reason);
  const std::vector<std::string> steps = core::step_texts(route);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    print_line("  " + std::to_string(i + 1) + ". " + steps[i]);
  }
  if (core::cost(route) != core::RouteCost{}) print_line("  cost: " + cost_text(checked));
  if (!route.advice.empty()) print_line("  " + route.advice);
}

pipeline::CheckAsked check_asked(const Options& options, pipeline::ModelCatalog& catalog) {
  pipeline::CheckAsked asked;
  if (!options.size.empty()) asked.size = parse_size(options.size, "--size");
  for (const std::string& word : options.things) {
    (pipeline::names_file(word) ? asked.latents : asked.models).push_back(word);
  }
  if (options.things.empty() && options.vae.empty()) {
    throw Error(ErrorKind::usage, "there is nothing to check. Name a latent or a model: lapis check a.safetensors");
  }
  asked.to = options.to;
  asked.vae = options.vae;
  asked.size_text = options.size;
  if (asked.latents.empty()) return asked;
  if (!options.space.empty()) asked.hints.space = catalog.space_named(options.space, "--space");
  if (!options.units.empty()) asked.hints.units = parse_units(options.units, "--units");
  if (!options.format.empty()) asked.hints.format = io::find_latent_format(options.format).format;
  asked.hints.keys.size = "in_size";
  if (!options.in_size.empty()) asked.hints.size = parse_size(options.in_size, "--in-size");
  return asked;
}

int check(const Options& options) {
  pipeline::ModelCatalog catalog;
  std::vector<io::Checked> checks = pipeline::check(check_asked(options, catalog), catalog);
  for (io::Checked& checked : checks) checked.route.advice = spelled(checked.route.advice);
  if (options.json) {
    print_json(io::check_report(checks));
  } else {
    for (const io::Checked& checked : checks) print_checked(checked);
  }
  return io::overall(checks) == core::Verdict::refuse ? exit_code(ErrorKind::incompatible) : 0;
}

}  // namespace

Run declare_check(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  app.add_option("things", options->things, "Latents (- for stdin), and names or folders of models")
      ->type_name("LATENT|MODEL");
  app.add_option("--to", options->to, "Where it is to go: a model, or a space (ID, ID:LINEAGE)")
      ->type_name("MODEL|SPACE");
  app.add_option("--vae", options->vae, "What is to decode it: a model, or the folder of a diffusers VAE")
      ->type_name("MODEL|DIR");
  app.add_option("--size", options->size, "That the picture is to have")->type_name("WxH");
  app.add_flag("--json", options->json, "The same as one JSON document");
  const char* const group = "What the file does not say itself";
  app.add_option("--space", options->space, "Space of its numbers: ID, ID:LINEAGE or a model's name")
      ->type_name("SPACE")
      ->group(group);
  app.add_option("--units", options->units, "What its numbers are: model or vae")->type_name("NAME")->group(group);
  app.add_option("--format", options->format, "Whose convention it keeps; lapis list forms")
      ->type_name("NAME")
      ->group(group);
  app.add_option("--in-size", options->in_size, "Of its picture: packed tokens do not tell")
      ->type_name("WxH")
      ->group(group);
  app.footer(footer);
  return [options] { return check(*options); };
}

}  // namespace lapis::cli
