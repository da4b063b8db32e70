#include "pipeline/latent_words.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

#include "core/latent/units.hpp"
#include "core/text/choice.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::pipeline {
namespace {

std::optional<int> side_of(std::string_view text) {
  int side = 0;
  const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), side);
  const bool is_number = code == std::errc() && stop == text.data() + text.size();
  if (!is_number || side < 1 || side > static_cast<int>(core::side_limits.highest)) return std::nullopt;
  return side;
}

}  // namespace

PixelSize parse_size(const std::string& text, std::string_view key) {
  const std::string_view whole = text;
  const std::size_t middle = std::min(text.find('x'), text.size());
  const std::optional<int> width = side_of(whole.substr(0, middle));
  const std::optional<int> height = side_of(whole.substr(std::min(middle + 1, text.size())));
  if (width && height) return {*width, *height};
  throw Error(ErrorKind::usage,
              core::sentence("{} is \"{}\"; expected a picture's sides in pixels, up to {}, as in 512x768",
                             core::field_name(key), text, core::number_text(core::side_limits.highest)));
}

Units parse_units(const std::string& text, std::string_view key) {
  return core::row_named(core::field_name(key), text, core::units_rows()).units;
}

LatentDtype parse_latent_dtype(const std::string& text, std::string_view key) {
  return core::row_named(core::field_name(key), text, core::latent_dtypes()).dtype;
}

io::LatentHints latent_hints(const HintWords& words, ModelCatalog& catalog, io::HintKeys keys) {
  io::LatentHints hints;
  if (!words.space.empty()) hints.space = catalog.space_named(words.space, core::field_name(keys.space));
  if (!words.units.empty()) hints.units = parse_units(words.units, keys.units);
  if (!words.format.empty()) hints.format = io::find_latent_format(words.format, keys.format).format;
  if (!words.size.empty()) hints.size = parse_size(words.size, keys.size);
  hints.keys = std::move(keys);
  return hints;
}

void refuse_hints(const HintWords& words, const io::HintKeys& keys, const std::string& found) {
  const std::array<std::pair<const std::string&, const std::string&>, 4> said = {
      {{words.space, keys.space}, {words.units, keys.units}, {words.format, keys.format}, {words.size, keys.size}}};
  for (const auto& [word, key] : said) {
    if (word.empty()) continue;
    throw Error(ErrorKind::usage, core::sentence("{} says of a latent what its file does not, and {}. Leave it out",
                                                 core::field_name(key), found));
  }
}

io::LatentHints latent_hints(const Job& job, ModelCatalog& catalog) {
  const HintWords words = {job.space.value_or(""), job.init_units.value_or(""), job.init_format.value_or(""),
                           job.init_size.value_or("")};
  return latent_hints(words, catalog, {"space", "init_units", "init_format", "init_size"});
}

}  // namespace lapis::pipeline
