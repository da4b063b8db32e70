#include "pipeline/output_names.hpp"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "core/text/sentence.hpp"
#include "core/text/shell_word.hpp"
#include "core/text/suggest.hpp"
#include "lapis/error.hpp"

namespace lapis::pipeline {
namespace {

void replace_all(std::string& text, const std::string& word, const std::string& value) {
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + value.size())) {
    text.replace(at, word.size(), value);
  }
}

void check_words(const std::string& pattern, const std::vector<std::string>& known) {
  for (std::size_t open = pattern.find('{'); open != std::string::npos; open = pattern.find('{', open + 1)) {
    const std::string word = pattern.substr(open, pattern.find('}', open) - open + 1);
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

}  // namespace

std::string in_folder(const std::string& output, const std::string& usual) {
  std::error_code ignored;
  const bool file_like = std::filesystem::path(output).extension() == std::filesystem::path(usual).extension();
  const bool folder = output.ends_with('/') || (!file_like && std::filesystem::is_directory(output, ignored));
  return folder ? (std::filesystem::path(output) / usual).string() : output;
}

OutputNames::OutputNames(const std::string& pattern, std::uint64_t first_seed, int count)
    : pattern_(pattern == "/dev/stdout" ? "-" : pattern), first_seed_(first_seed) {
  if (is_stdout()) {
    if (count > 1)
      throw Error(ErrorKind::usage, core::sentence("{-output} - takes one picture; this job makes {}", count));
    return;
  }
  if (is_device(pattern)) return;
  check_words(pattern, {"{seed}", "{index}"});
  const std::filesystem::path path(pattern);
  const std::string ending = path.extension();
  if (!core::equal_ignoring_case(ending, ".png")) {
    throw Error(
        ErrorKind::usage, core::sentence("{-output} {}: pictures are written as PNG", pattern),
        core::sentence("Type: {-output} {}", core::shell_word((path.parent_path() / path.stem()).string() + ".png")));
  }
  const bool differs = pattern.find("{seed}") != std::string::npos || pattern.find("{index}") != std::string::npos;
  if (count > 1 && !differs) pattern_ = (path.parent_path() / path.stem()).string() + "-{index}" + ending;
}

std::string OutputNames::name(int index) const {
  std::string name = pattern_;
  replace_all(name, "{seed}", std::to_string(first_seed_ + static_cast<std::uint64_t>(index)));
  replace_all(name, "{index}", std::to_string(index));
  return name;
}

LatentNames::LatentNames(const std::string& pattern, const std::vector<std::string>& pictures) {
  const auto has = [&](const char* word) { return pattern.find(word) != std::string::npos; };
  if (pattern != "-") check_words(pattern, {"{index}", "{name}"});
  is_one_file_ = !has("{index}") && !has("{name}");
  if (is_one_file_) {
    files_ = {pattern};
    return;
  }
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    std::string name = pattern;
    replace_all(name, "{index}", std::to_string(i));
    replace_all(name, "{name}", pictures[i] == "-" ? "stdin" : std::filesystem::path(pictures[i]).stem().string());
    const auto same = std::find(files_.begin(), files_.end(), name);
    if (same != files_.end()) {
      throw Error(ErrorKind::usage,
                  core::sentence("{-output} {}: {} and {} would both go to {}. Use {{index}}", pattern,
                                 pictures[static_cast<std::size_t>(same - files_.begin())], pictures[i], name));
    }
    files_.push_back(std::move(name));
  }
}

}  // namespace lapis::pipeline
