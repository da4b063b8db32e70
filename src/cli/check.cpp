#include "pipeline/check.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/latent_options.hpp"
#include "cli/option_group.hpp"
#include "cli/output_options.hpp"
#include "cli/spelling.hpp"
#include "cli/terminal.hpp"
#include "core/latent/latents.hpp"
#include "core/latent/route.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
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

/// --size is what the picture is to have.
constexpr HintFlags hint_flags = {"--units", "--format", "--in-size"};

struct Options {
  std::vector<std::string> things;
  std::string to;
  std::string vae;
  std::string size;
  pipeline::HintWords hints;
  bool json = false;
};

std::string cost_text(const io::Checked& checked) {
  const auto counted = [&](std::int64_t each, const char* what) {
    return core::count_text(static_cast<std::uint64_t>(checked.pictures * each), what);
  };
  const core::RouteCost cost = core::cost(checked.route);
  const PixelSize size = checked.route.size;
  const std::string pixels = size.width > 0 ? core::sentence(" of {} pixels", core::size_text(size)) : "";
  return core::sentence("{} and {}{}", counted(cost.decodes, "decode"), counted(cost.encodes, "encode"), pixels);
}

void print_checked(const io::Checked& checked) {
  const core::Route& route = checked.route;
  const std::string destination = checked.destination.empty() ? "" : core::sentence(" -> {}", checked.destination);
  print_line(core::sentence("{}: {}{}", core::verdict_name(core::verdict(route)), checked.latent, destination));
  print_line("  " + route.reason);
  const std::vector<std::string> steps = core::step_texts(route);
  for (std::size_t i = 0; i < steps.size(); ++i) print_line(core::sentence("  {}. {}", i + 1, steps[i]));
  if (core::cost(route) != core::RouteCost{}) print_line(core::sentence("  cost: {}", cost_text(checked)));
  if (!route.advice.empty()) print_line("  " + route.advice);
}

pipeline::CheckAsked check_asked(const Options& options, pipeline::ModelCatalog& catalog) {
  pipeline::CheckAsked asked;
  if (!options.size.empty()) asked.size = pipeline::parse_size(options.size, "size");
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
  asked.hints = latent_hints(options.hints, catalog, hint_flags);
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
  const OptionGroup plain(app);
  plain.value("things", options->things, "LATENT|MODEL", "Latents (- for stdin), and names or folders of models");
  plain.value("--to", options->to, "MODEL|SPACE", "Where it is to go: a model, or a space (ID, ID:LINEAGE)");
  plain.value("--vae", options->vae, "MODEL|DIR", "What is to decode it: a model, or the folder of a diffusers VAE");
  plain.value("--size", options->size, "WxH", "That the picture is to have");
  declare_hints(app, options->hints, hint_flags);
  declare_json(app, options->json, "The same as one JSON document");
  app.footer(footer);
  return [options] { return check(*options); };
}

}  // namespace lapis::cli
