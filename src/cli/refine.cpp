#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "cli/commands.hpp"
#include "cli/generation.hpp"
#include "cli/latent_options.hpp"
#include "cli/spelling.hpp"
#include "io/latent/latent_formats.hpp"
#include "pipeline/render_asked.hpp"

namespace lapis::cli {
namespace {

constexpr const char* refine_footer =
    "Examples:\n"
    "  lapis refine a.safetensors -m tiny-sdxl -p \"a red house in snow\" --strength 0.5\n"
    "  lapis refine photo.jpg -m tiny-sd15 -p \"a lake at dusk\" -W 256\n"
    "  lapis refine a.safetensors -W 256 -H 256 --latent larger.safetensors\n"
    "  lapis generate \"a red house\" --latent - | lapis refine - -m tiny-flux -p \"a red house\"\n"
    "\n"
    "A latent of another space is decoded by its own VAE and encoded by the model's; one of the model's\n"
    "own space goes in as it is. Without a prompt or a model, those that the latent records hold.";

/// What stands for the source.
constexpr std::array<std::string_view, 2> sources = {"image", "init_latent"};

int refine(GenerationOptions& options, const std::string& path) {
  options.source = std::make_shared<io::LatentSource>(
      latent_source(path, "lapis generate ... --latent - | lapis refine - -m MODEL", /*or_picture=*/true));
  pipeline::AskedJob& asked = options.asked;
  const std::string field = pipeline::field_of_source(*options.source, path);
  const bool picture = field == "image";
  (picture ? asked.job.image : asked.job.init_latent) = path;
  asked.named.emplace(field);
  spell_as("image", picture ? options.source->name() : "IMAGE");
  spell_as("init_latent", picture ? "LATENT" : options.source->name());
  return generate(options);
}

}  // namespace

Run declare_refine(CLI::App& app) {
  const auto options = std::make_shared<GenerationOptions>();
  const auto path = std::make_shared<std::string>();
  app.add_option_function<std::string>(
         "source",
         [options, path](const std::string& text) {
           if (text == "-") take_stdin(options->stdin_use, "LATENT|IMAGE");
           *path = text;
         },
         "Latent or picture to refine, - for stdin")
      ->type_name("LATENT|IMAGE")
      ->required();
  declare_job_options(app, options->asked, options->stdin_use, "", sources);
  declare_generation(app, *options);
  app.footer(refine_footer);
  return [options, path] { return refine(*options, *path); };
}

}  // namespace lapis::cli
