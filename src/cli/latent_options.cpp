#include "cli/latent_options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <filesystem>
#include <unistd.h>
#include <vector>

#include "core/job/job_fields.hpp"
#include "core/latent/units.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {
namespace {

/// Names that end so are pictures', which nobody means for a latent.
constexpr std::array<std::string_view, 14> picture_endings = {
    ".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tga", ".ppm", ".pgm", ".pbm", ".pnm", ".pam", ".tif", ".tiff"};

/// Declares an option as the job's field of this key is declared; `flags` where they are others.
template <typename Value>
void declare_field(CLI::App& app, Value& value, const char* key, const char* group, const char* flags = nullptr) {
  const core::JobField& field = core::find_job_field(key);
  app.add_option(flags != nullptr ? flags : std::string(field.flags), value, core::help_text(field))
      ->type_name(std::string(field.value_name))
      ->group(group);
}

/// Refuses a name that is none of the choices that a field of a job has.
void expect_choice(const std::string& text, std::string_view flag, std::string_view key) {
  const std::vector<std::string> names = core::find_job_field(key).choices();
  if (std::ranges::find(names, text) != names.end()) return;
  throw Error(ErrorKind::usage, core::sentence("{} is \"{}\"; expected one of {}.{}", flag, text, core::listed(names),
                                               core::did_you_mean(text, names)));
}

/// "in_units" of "--in-units".
std::string key_of(std::string_view flag) {
  std::string key(flag.substr(2));
  std::ranges::replace(key, '-', '_');
  return key;
}

}  // namespace

void declare_hints(CLI::App& app, pipeline::HintWords& options, const HintFlags& flags) {
  const char* const group = "What a latent's file does not say itself";
  declare_field(app, options.space, "space", group);
  declare_field(app, options.units, "init_units", group, flags.units);
  declare_field(app, options.format, "init_format", group, flags.format);
  declare_field(app, options.size, "init_size", group, flags.size);
}

io::LatentHints latent_hints(const pipeline::HintWords& options, pipeline::ModelCatalog& catalog,
                             const HintFlags& flags) {
  return pipeline::latent_hints(options, catalog,
                                {"space", key_of(flags.units), key_of(flags.format), key_of(flags.size)});
}

pipeline::NamedLatent read_named_latent(const std::string& path, const io::LatentHints& hints) {
  return pipeline::named_latent(latent_source(path, "lapis generate ... --latent - | lapis decode -"), hints);
}

io::LatentSource latent_source(const std::string& path, const std::string& line, bool or_picture) {
  if (path == "-" && isatty(STDIN_FILENO) != 0) {
    throw Error(ErrorKind::usage, core::sentence("- would read a latent from the terminal. Pipe one: {}", line));
  }
  return io::LatentSource(path, io::LatentSource::largest_pipe, or_picture);
}

void declare_compute(CLI::App& app, pipeline::ComputeOptions& options) {
  const char* const group = "VAE and machine";
  declare_field(app, options.tiling, "vae_tiling", group);
  declare_field(app, options.dtype, "vae_dtype", group);
  declare_field(app, options.device, "device", group);
  declare_field(app, options.threads, "threads", group);
}

EngineOptions engine_options(const pipeline::ComputeOptions& options) {
  expect_choice(options.tiling, "--vae-tiling", "vae_tiling");
  expect_choice(options.device, "--device", "device");
  expect_choice(options.dtype, "--vae-dtype", "vae_dtype");
  const auto threads = static_cast<double>(options.threads);
  if (const auto problem = core::limit_problem("--threads", threads, core::thread_limits)) {
    throw Error(ErrorKind::usage, *problem);
  }
  return {options.device, options.dtype, static_cast<int>(options.threads)};
}

void declare_output_format(CLI::App& app, std::string& format) {
  declare_field(app, format, "init_format", "Output", "--format");
}

void declare_output_numbers(CLI::App& app, std::string& units, std::string& dtype) {
  declare_field(app, units, "init_units", "Output", "--units");
  std::vector<std::string> names;
  for (const core::LatentDtypeRow& row : core::latent_dtypes()) names.emplace_back(row.name);
  app.add_option("--dtype", dtype, core::either_of(names))->type_name("NAME")->group("Output");
}

io::LatentFormat output_format(const std::string& format, const std::string& path, std::string_view flag) {
  const std::string ending = core::lower_ascii(std::filesystem::path(path).extension().string());
  if (std::ranges::find(picture_endings, ending) != picture_endings.end()) {
    throw Error(ErrorKind::usage,
                core::sentence("{} {}: this {} writes a latent, and {} is a picture. Let the name end in .safetensors; "
                               "lapis decode makes the picture",
                               flag, path, flag == "-o" ? "command" : "option", ending));
  }
  if (!format.empty()) return io::find_latent_format(format).format;
  for (const io::LatentFormatRow& row : io::latent_formats()) {
    if (std::find(row.endings.begin(), row.endings.end(), ending) != row.endings.end()) return row.format;
  }
  return io::LatentFormat::lapis;
}

}  // namespace lapis::cli
