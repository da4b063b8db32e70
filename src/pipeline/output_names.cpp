#include "pipeline/output_names.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <optional>
#include <span>
#include <system_error>
#include <utility>

#include "core/job/job_fields.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/shell_word.hpp"
#include "core/text/suggest.hpp"
#include "lapis/error.hpp"

namespace lapis::pipeline {
namespace {

/// Names that end so are pictures', which nobody means for a latent.
constexpr std::array<std::string_view, 14> picture_endings = {
    ".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tga", ".ppm", ".pgm", ".pbm", ".pnm", ".pam", ".tif", ".tiff"};

/// One word in braces of a template: "{index:03}" is the word "index" in three digits.
struct Place {
  std::size_t begin = 0;  ///< of the brace
  std::size_t end = 0;    ///< behind the other one
  std::string word;
  std::size_t width = 0;
};

constexpr std::size_t widest = 20;  ///< digits, as many as the largest seed has

/// The width that stands behind a word's colon; none where that is none.
std::optional<std::size_t> width_of(std::string_view text) {
  if (!text.empty() && text.front() == '0') text.remove_prefix(1);
  std::size_t width = 0;
  const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), width);
  const bool is_width = code == std::errc() && stop == text.data() + text.size() && width <= widest;
  return is_width ? std::optional(width) : std::nullopt;
}

[[noreturn]] void refuse_place(const std::string& pattern, const std::string& what,
                               std::span<const std::string> known) {
  std::vector<std::string> words;
  for (const std::string& word : known) words.push_back("{" + word + "}");
  throw Error(ErrorKind::usage, core::sentence("{-output} {}: {}. Use {}", pattern, what, core::either_of(words)));
}

/// The next place in a template from `from` on; none where it has no more.
std::optional<Place> next_place(const std::string& pattern, std::size_t from, std::span<const std::string> known) {
  Place place;
  place.begin = pattern.find('{', from);
  if (place.begin == std::string::npos) return std::nullopt;
  const std::size_t close = pattern.find('}', place.begin);
  if (close == std::string::npos) refuse_place(pattern, "a brace is opened and not closed", known);
  place.end = close + 1;
  const std::string inner = pattern.substr(place.begin + 1, close - place.begin - 1);
  const std::size_t colon = std::min(inner.find(':'), inner.size());
  place.word = inner.substr(0, colon);
  const std::string shown = "{" + inner + "}";
  if (std::ranges::find(known, place.word) == known.end()) refuse_place(pattern, shown + " has no meaning here", known);
  if (colon == inner.size()) return place;
  const std::optional<std::size_t> width = width_of(std::string_view(inner).substr(colon + 1));
  if (!width) refuse_place(pattern, shown + " has no width that is one, as 03 is", known);
  place.width = *width;
  return place;
}

bool has(const std::string& pattern, const std::string& word, std::span<const std::string> known) {
  std::size_t from = 0;
  while (const std::optional<Place> place = next_place(pattern, from, known)) {
    if (place->word == word) return true;
    from = place->end;
  }
  return false;
}

bool is_device(const std::string& path) {
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(path, ignored);
  return std::filesystem::is_character_file(status) || std::filesystem::is_fifo(status);
}

const std::array<std::string, 2> words_of_pictures = {"seed", "index"};
const std::array<std::string, 2> words_of_latents = {"index", "name"};

/// A template that gives each of `count` pictures a name of its own.
std::string distinct(const std::string& pattern, int count) {
  const std::filesystem::path path(pattern);
  const std::string stem = (path.parent_path() / path.stem()).string();
  const std::string ending = path.extension();
  if (!core::equal_ignoring_case(ending, ".png")) {
    throw Error(ErrorKind::usage, core::sentence("{-output} {}: pictures are written as PNG", pattern),
                core::sentence("Type: {-output} {}", core::shell_word(stem + ".png")));
  }
  const bool differs =
      count == 1 || has(pattern, "seed", words_of_pictures) || has(pattern, "index", words_of_pictures);
  return differs ? pattern : stem + "-{index}" + ending;
}

}  // namespace

std::string filled(const std::string& pattern, std::span<const std::string> known, const ValueOf& value_of) {
  std::string text;
  std::size_t from = 0;
  while (const std::optional<Place> place = next_place(pattern, from, known)) {
    const std::optional<std::string> value = value_of(place->word);
    text += pattern.substr(from, (value ? place->begin : place->end) - from);
    from = place->end;
    if (!value) continue;
    text += std::string(place->width > value->size() ? place->width - value->size() : 0, '0') + *value;
  }
  return text + pattern.substr(from);
}

std::string output_name(const std::string& path) { return path == "/dev/stdout" ? "-" : path; }

std::string in_folder(const std::string& output, const std::string& usual) {
  if (output_name(output) == "-") return "-";
  std::error_code ignored;
  const bool file_like = std::filesystem::path(output).extension() == std::filesystem::path(usual).extension();
  const bool folder = output.ends_with('/') || (!file_like && std::filesystem::is_directory(output, ignored));
  return folder ? (std::filesystem::path(output) / usual).string() : output;
}

bool is_picture_name(const std::string& path) {
  return core::equal_ignoring_case(std::filesystem::path(path).extension().string(), ".png");
}

std::string latent_stem(const std::string& path) {
  return path == "-" ? "latent" : std::filesystem::path(path).stem().string();
}

std::vector<std::string> picture_names(const std::string& pattern, std::uint64_t first_seed, int count) {
  std::string distinct_pattern = output_name(pattern);
  if (distinct_pattern == "-") {
    if (count > 1)
      throw Error(ErrorKind::usage, core::sentence("{-output} - takes one picture; this job makes {}", count));
  } else if (!is_device(pattern)) {
    distinct_pattern = distinct(pattern, count);
  }
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) {
    const std::uint64_t seed = first_seed + static_cast<std::uint64_t>(i);
    names.push_back(filled(distinct_pattern, words_of_pictures, [&](const std::string& word) {
      return word == "seed" ? std::to_string(seed) : std::to_string(i);
    }));
  }
  return names;
}

std::vector<std::string> latent_names(const std::string& pattern, const std::vector<std::string>& pictures) {
  const std::string output = output_name(pattern);
  if (output == "-") return {output};
  if (!has(pattern, "index", words_of_latents) && !has(pattern, "name", words_of_latents)) return {pattern};
  std::vector<std::string> names;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    std::string name = filled(pattern, words_of_latents, [&](const std::string& word) {
      if (word == "index") return std::to_string(i);
      return pictures[i] == "-" ? "stdin" : std::filesystem::path(pictures[i]).stem().string();
    });
    const auto same = std::ranges::find(names, name);
    if (same != names.end()) {
      throw Error(ErrorKind::usage,
                  core::sentence("{-output} {}: {} and {} would both go to {}. Use {{index}}", pattern,
                                 pictures[static_cast<std::size_t>(same - names.begin())], pictures[i], name));
    }
    names.push_back(std::move(name));
  }
  return names;
}

io::LatentFormat output_format(const std::string& format, const std::string& path, std::string_view key) {
  const std::string ending = core::lower_ascii(std::filesystem::path(path).extension().string());
  if (std::ranges::find(picture_endings, ending) != picture_endings.end()) {
    const bool is_output = key == "output";
    throw Error(ErrorKind::usage,
                core::sentence("{} {}: this {} writes a latent, and {} is a picture. Let the name end in .safetensors; "
                               "{lapis decode} makes the picture",
                               is_output ? core::marked("{-output}") : core::field_name(key), path,
                               is_output ? "command" : "option", ending));
  }
  if (!format.empty()) return io::find_latent_format(format).format;
  for (const io::LatentFormatRow& row : io::latent_formats()) {
    if (std::ranges::find(row.endings, ending) != row.endings.end()) return row.format;
  }
  return io::LatentFormat::lapis;
}

}  // namespace lapis::pipeline
