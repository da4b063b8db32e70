#include "cli/latent_options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <optional>
#include <span>
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

[[noreturn]] void refuse_name(std::string_view flag, const std::string& text, const std::vector<std::string>& names) {
  throw Error(ErrorKind::usage, core::sentence("{} is \"{}\"; expected one of {}.{}", flag, text, core::listed(names),
                                               core::did_you_mean(text, names)));
}

/// The row of this name in a table.
template <typename Row>
const Row& row_named(std::span<const Row> rows, const std::string& text, std::string_view flag) {
  std::vector<std::string> names;
  for (const Row& row : rows) {
    if (row.name == text) return row;
    names.emplace_back(row.name);
  }
  refuse_name(flag, text, names);
}

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
  if (std::find(names.begin(), names.end(), text) == names.end()) refuse_name(flag, text, names);
}

std::optional<int> whole_number(std::string_view text) {
  int value = 0;
  const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

/// "in_units" of "--in-units".
std::string key_of(std::string_view flag) {
  std::string key(flag.substr(2));
  std::ranges::replace(key, '-', '_');
  return key;
}

}  // namespace

void declare_hints(CLI::App& app, HintOptions& options, const HintFlags& flags) {
  const char* const group = "What a latent's file does not say itself";
  declare_field(app, options.space, "space", group);
  declare_field(app, options.units, "init_units", group, flags.units);
  declare_field(app, options.format, "init_format", group, flags.format);
  declare_field(app, options.size, "init_size", group, flags.size);
}

io::LatentHints latent_hints(const HintOptions& options, pipeline::ModelCatalog& catalog, const HintFlags& flags) {
  io::LatentHints hints;
  hints.keys = {"space", key_of(flags.units), key_of(flags.format), key_of(flags.size)};
  if (!options.space.empty()) hints.space = catalog.space_named(options.space, "--space");
  if (!options.units.empty()) hints.units = parse_units(options.units, flags.units);
  if (!options.format.empty()) hints.format = io::find_latent_format(options.format).format;
  if (!options.size.empty()) hints.size = parse_size(options.size, flags.size);
  return hints;
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

PixelSize parse_size(const std::string& text, std::string_view flag) {
  const std::size_t middle = std::min(text.find('x'), text.size());
  const std::optional<int> width = whole_number(std::string_view(text).substr(0, middle));
  const std::optional<int> height = whole_number(std::string_view(text).substr(std::min(middle + 1, text.size())));
  const auto fits = [](const std::optional<int>& side) {
    return side && *side >= 1 && *side <= static_cast<int>(core::side_limits.highest);
  };
  if (fits(width) && fits(height)) return {*width, *height};
  throw Error(ErrorKind::usage,
              core::sentence("{} is \"{}\"; expected a picture's sides in pixels, up to {}, as in 512x768", flag, text,
                             core::number_text(core::side_limits.highest)));
}

Units parse_units(const std::string& text, std::string_view flag) {
  return row_named(core::units_rows(), text, flag).units;
}

LatentDtype parse_latent_dtype(const std::string& text, std::string_view flag) {
  return row_named(core::latent_dtypes(), text, flag).dtype;
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
  static const std::array<std::string_view, 5> pictures = {".png", ".jpg", ".jpeg", ".webp", ".bmp"};
  if (std::find(pictures.begin(), pictures.end(), ending) != pictures.end()) {
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
