#include "pipeline/check.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/latent_options.hpp"
#include "cli/option_group.hpp"
#include "cli/output_options.hpp"
#include "cli/spelling.hpp"
#include "cli/standard_streams.hpp"
#include "cli/terminal.hpp"
#include "core/latent/route.hpp"
#include "io/report/check_report.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {
namespace {

constexpr const char* check_footer =
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

struct CheckOptions {
  std::vector<std::string> things;
  std::string to;
  std::string vae;
  std::string size;
  pipeline::HintWords hints;
  bool json = false;
};

int check(const CheckOptions& options) {
  check_stdin_once(options.things);
  pipeline::ModelCatalog catalog;
  std::optional<PixelSize> size;
  if (!options.size.empty()) size = pipeline::parse_size(options.size, "size");
  pipeline::CheckAsked asked = pipeline::check_asked(options.things, options.vae);
  asked.to = options.to;
  asked.size = size;
  asked.size_text = options.size;
  if (asked.latents.empty()) pipeline::refuse_hints(options.hints, hint_keys(hint_flags), "only models are named");
  asked.hints = latent_hints(options.hints, catalog, hint_flags);
  std::vector<io::Checked> checks = pipeline::check(asked, catalog);
  for (io::Checked& checked : checks) checked.route.advice = spelled(checked.route.advice);
  if (options.json) {
    print_json(io::check_report(checks));
  } else {
    for (const io::Checked& checked : checks) {
      for (const std::string& line : pipeline::finding_lines(checked)) print_line(line);
    }
  }
  return io::overall(checks) == core::Verdict::refuse ? exit_code(ErrorKind::incompatible) : 0;
}

}  // namespace

Run declare_check(CLI::App& app) {
  const auto options = std::make_shared<CheckOptions>();
  const OptionGroup plain(app);
  plain.value("things", options->things, "LATENT|MODEL", "Latents (- for stdin), and names or folders of models");
  plain.value("--to", options->to, "MODEL|SPACE", "Where it is to go: a model, or a space (ID, ID:LINEAGE)");
  plain.value("--vae", options->vae, "MODEL|DIR", "What is to decode it: a model, or the folder of a diffusers VAE");
  plain.value("--size", options->size, "WxH", "That the picture is to have");
  declare_hints(app, options->hints, hint_flags);
  declare_json(app, options->json, "The same as one JSON document");
  app.footer(check_footer);
  return [options] { return check(*options); };
}

}  // namespace lapis::cli
