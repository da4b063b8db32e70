#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "cli/commands.hpp"
#include "cli/generation.hpp"
#include "cli/option_group.hpp"
#include "core/job/job_fields.hpp"

namespace lapis::cli {
namespace {

constexpr const char* generate_footer =
    "Examples:\n"
    "  lapis generate \"a serene lakeside at sunset\"\n"
    "  lapis generate \"a red house, snow field at night\" -s 7 -b 4 -o \"house-{seed}.png\"\n"
    "  lapis generate \"a blue boat on the left, lake at dawn\" -W 384 -H 256 --steps 30 --guidance 4\n"
    "  lapis generate \"a yellow star on a purple background\" -o - > star.png\n"
    "  lapis generate \"a red house in snow\" -i house-7.png --strength 0.6\n"
    "  lapis generate \"a blue boat\" -i lake.jpg --mask where.png --strength 1 -W 384\n"
    "  lapis generate \"a red house in snow\" --stop-at 12 --latent part.safetensors\n"
    "  lapis generate --init-latent part.safetensors\n"
    "  lapis generate --from house-7.png --steps 40 -o again.png\n"
    "  lapis generate \"a red house in snow\" -m tiny-sd15 --then tiny-sdxl:0.5\n"
    "\n"
    "Where nothing is said the model's own defaults hold (lapis inspect tiny-sd15 shows them); the\n"
    "picture goes to lapis-{seed}.png.";

}  // namespace

Run declare_generate(CLI::App& app) {
  const auto options = std::make_shared<GenerationOptions>();
  declare_job_options(app, options->asked, options->stdin_use, "prompt");
  OptionGroup(app, std::string(core::group_title(core::FieldGroup::source)))
      .value("--from", options->from, "FILE", "Do the job again that a PNG, a latent or a line of --json records");
  declare_generation(app, *options);
  app.footer(generate_footer);
  return [options] { return generate(*options); };
}

}  // namespace lapis::cli
