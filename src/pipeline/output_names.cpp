#include "pipeline/output_names.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

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

bool has(const std::string& pattern, const char* word) { return pattern.find(word) != std::string::npos; }

void replace_all(std::string& text, const std::string& word, const std::string& value) {
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + value.size())) {
    text.replace(at, word.size(), value);
  }
}

void check_words(const std::string& pattern, const std::vector<std::string>& known) {
  for (std::size_t open = pattern.find('{'); open != std::string::npos; open = pattern.find('{', open + 1)) {
    const std::size_t close = pattern.find('}', open);
    if (close == std::string::npos) {
      throw Error(ErrorKind::usage, core::sentence("{-output} {}: a brace is opened and not closed. Use {} or {}",
                                                   pattern, known.front(), known.back()));
    }
    const std::string word = pattern.substr(open, close - open + 1);
    if (std::find(known.begin(), known.end(), word) != known.end()) continue;
    throw Error(ErrorKind::usage, core::sentence("{-output} {}: {} has no meaning here. Use {} or {}", pattern, word,
                                                 known.front(), known.back()));
  }
}

bool is_device(const std::string& path) {
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(path, ignored);
  return std::filesystem::is_character_file(status) || std::filesystem::is_fifo(status);
}

/// The name that a template gives one picture.
std::string picture_name(const std::string& pattern, std::uint64_t seed, int index) {
  std::string name = pattern;
  replace_all(name, "{seed}", std::to_string(seed));
  replace_all(name, "{index}", std::to_string(index));
  return name;
}

/// A template that gives each of `count` pictures a name of its own.
std::string distinct(const std::string& pattern, int count) {
  const std::filesystem::path path(pattern);
  const std::string stem = (path.parent_path() / path.stem()).string();
  const std::string ending = path.extension();
  if (!core::equal_ignoring_case(ending, ".png")) {
    throw Error(ErrorKind::usage, core::sentence("{-output} {}: pictures are written as PNG", pattern),
                core::sentence("Type: {-output} {}", core::shell_word(stem + ".png")));
  }
  const bool differs = count == 1 || has(pattern, "{seed}") || has(pattern, "{index}");
  return differs ? pattern : stem + "-{index}" + ending;
}

}  // namespace

std::string output_name(const std::string& path) { return path == "/dev/stdout" ? "-" : path; }

std::string in_folder(const std::string& output, const std::string& usual) {
  if (output_name(output) == "-") return "-";
  std::error_code ignored;
  const bool file_like = std::filesystem::path(output).extension() == std::filesystem::path(usual).extension();
  const bool folder = output.ends_with('/') || (!file_like && std::filesystem::is_directory(output, ignored));
  return folder ? (std::filesystem::path(output) / usual).string() : output;
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
    check_words(pattern, {"{seed}", "{index}"});
    distinct_pattern = distinct(pattern, count);
  }
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) {
    names.push_back(picture_name(distinct_pattern, first_seed + static_cast<std::uint64_t>(i), i));
  }
  return names;
}

std::vector<std::string> latent_names(const std::string& pattern, const std::vector<std::string>& pictures) {
  const std::string output = output_name(pattern);
  if (output == "-") return {output};
  check_words(pattern, {"{index}", "{name}"});
  if (!has(pattern, "{index}") && !has(pattern, "{name}")) return {pattern};
  std::vector<std::string> names;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    std::string name = pattern;
    replace_all(name, "{index}", std::to_string(i));
    replace_all(name, "{name}", pictures[i] == "-" ? "stdin" : std::filesystem::path(pictures[i]).stem().string());
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
