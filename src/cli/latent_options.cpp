#include "cli/latent_options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <optional>
#include <unistd.h>
#include <utility>
#include <vector>

#include "core/job/job_fields.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/suggest.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {
namespace {

constexpr std::array<std::pair<std::string_view, Units>, 2> unit_names = {
    {{"model", Units::model}, {"vae", Units::vae}}};
constexpr std::array<std::pair<std::string_view, LatentDtype>, 3> dtype_names = {
    {{"f32", LatentDtype::f32}, {"f16", LatentDtype::f16}, {"bf16", LatentDtype::bf16}}};

[[noreturn]] void refuse_name(std::string_view flag, const std::string& text, const std::vector<std::string>& names) {
  throw Error(ErrorKind::usage, std::string(flag) + " is \"" + text + "\"; expected one of " + core::listed(names) +
                                    "." + core::did_you_mean(text, names));
}

/// The value of a name in a table of pairs.
template <typename Pairs>
auto value_of(const Pairs& pairs, const std::string& text, std::string_view flag) {
  std::vector<std::string> names;
  for (const auto& [name, value] : pairs) {
    if (name == text) return value;
    names.emplace_back(name);
  }
  refuse_name(flag, text, names);
}

/// The name of a value in such a table.
template <typename Pairs, typename Value>
std::string_view name_of(const Pairs& pairs, Value value) {
  return std::find_if(pairs.begin(), pairs.end(), [&](const auto& pair) { return pair.second == value; })->first;
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

/// The names of the hints where their options' words are led by `lead`.
io::HintKeys hint_keys(std::string lead) {
  std::ranges::replace(lead, '-', '_');
  return {"space", lead + "units", lead + "format", lead + "size"};
}

}  // namespace

void declare_hints(CLI::App& app, HintOptions& options, const std::string& lead) {
  const char* const group = "What a latent's file does not say itself";
  const std::string in_form = lead.empty() ? "Form" : "Its form";
  app.add_option("--space", options.space, "Space of its numbers: ID, ID:LINEAGE or a model's name")
      ->type_name("SPACE")
      ->group(group);
  app.add_option("--" + lead + "units", options.units, "What its numbers are: model or vae")
      ->type_name("NAME")
      ->group(group);
  app.add_option("--" + lead + "format", options.format, "Whose convention it keeps; lapis list forms")
      ->type_name("NAME")
      ->group(group);
  app.add_option("--" + lead + "size", options.size, "Of its picture: packed tokens do not tell")
      ->type_name("WxH")
      ->group(group);
}

io::LatentHints latent_hints(const HintOptions& options, pipeline::ModelCatalog& catalog, const std::string& lead) {
  io::LatentHints hints;
  hints.keys = hint_keys(lead);
  if (!options.space.empty()) hints.space = catalog.space_named(options.space, "--space");
  if (!options.units.empty()) hints.units = parse_units(options.units, "--" + lead + "units");
  if (!options.format.empty()) hints.format = io::find_latent_format(options.format).format;
  if (!options.size.empty()) hints.size = parse_size(options.size, "--" + lead + "size");
  return hints;
}

pipeline::NamedLatent read_named_latent(const std::string& path, const io::LatentHints& hints) {
  return pipeline::named_latent(latent_source(path, "lapis generate ... --latent - | lapis decode -"), hints);
}

io::LatentSource latent_source(const std::string& path, const std::string& line, bool or_picture) {
  if (path == "-" && isatty(STDIN_FILENO) != 0) {
    throw Error(ErrorKind::usage, "- would read a latent from the terminal. Pipe one: " + line);
  }
  return io::LatentSource(path, io::LatentSource::largest_pipe, or_picture);
}

void declare_compute(CLI::App& app, pipeline::ComputeOptions& options) {
  const char* const group = "VAE and machine";
  const auto of_job = [&](const char* key, auto& value) {
    const core::JobField& field = core::find_job_field(key);
    app.add_option(std::string(field.flags), value, core::help_text(field))
        ->type_name(std::string(field.value_name))
        ->group(group);
  };
  of_job("vae_tiling", options.tiling);
  app.add_option("--vae-dtype", options.dtype,
                 "What it computes in: " + core::either_of(core::find_job_field("dtype").choices()))
      ->type_name("NAME")
      ->group(group);
  of_job("device", options.device);
  of_job("threads", options.threads);
}

EngineOptions engine_options(const pipeline::ComputeOptions& options) {
  expect_choice(options.tiling, "--vae-tiling", "vae_tiling");
  expect_choice(options.device, "--device", "device");
  expect_choice(options.dtype, "--vae-dtype", "dtype");
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
  throw Error(ErrorKind::usage, std::string(flag) + " is \"" + text +
                                    "\"; expected a picture's sides in pixels, up to " +
                                    core::number_text(core::side_limits.highest) + ", as in 512x768");
}

Units parse_units(const std::string& text, std::string_view flag) { return value_of(unit_names, text, flag); }

LatentDtype parse_latent_dtype(const std::string& text, std::string_view flag) {
  return value_of(dtype_names, text, flag);
}

std::string_view latent_dtype_name(LatentDtype dtype) { return name_of(dtype_names, dtype); }

io::LatentFormat output_format(const std::string& format, const std::string& path) {
  const std::string ending = core::lower_ascii(std::filesystem::path(path).extension().string());
  static const std::array<std::string_view, 5> pictures = {".png", ".jpg", ".jpeg", ".webp", ".bmp"};
  if (std::find(pictures.begin(), pictures.end(), ending) != pictures.end()) {
    throw Error(ErrorKind::usage,
                "-o " + path + ": this command writes a latent, and " + ending +
                    " is a picture. Let the name end in .safetensors; lapis decode makes the picture");
  }
  if (!format.empty()) return io::find_latent_format(format).format;
  for (const io::LatentFormatRow& row : io::latent_formats()) {
    if (std::find(row.endings.begin(), row.endings.end(), ending) != row.endings.end()) return row.format;
  }
  return io::LatentFormat::lapis;
}

}  // namespace lapis::cli
