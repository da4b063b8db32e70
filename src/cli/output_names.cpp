#include "cli/output_names.hpp"

#include <filesystem>

#include "lapis/error.hpp"

namespace lapis::cli {
namespace {

void replace_all(std::string& text, const std::string& word, const std::string& value) {
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + value.size())) {
    text.replace(at, word.size(), value);
  }
}

void check_words(const std::string& pattern) {
  for (std::size_t open = pattern.find('{'); open != std::string::npos; open = pattern.find('{', open + 1)) {
    const std::string word = pattern.substr(open, pattern.find('}', open) - open + 1);
    if (word == "{seed}" || word == "{index}") continue;
    throw Error(ErrorKind::usage, "-o " + pattern + ": " + word + " has no meaning here. Use {seed} or {index}");
  }
}

}  // namespace

OutputNames::OutputNames(const std::string& pattern, std::int64_t first_seed, int count)
    : pattern_(pattern), first_seed_(first_seed) {
  if (pattern == "-") {
    if (count > 1) throw Error(ErrorKind::usage, "-o - takes one picture; this job makes " + std::to_string(count));
    return;
  }
  check_words(pattern);
  const std::filesystem::path path(pattern);
  if (path.extension() != ".png") {
    throw Error(ErrorKind::usage, "-o " + pattern + ": pictures are written as PNG. Let the name end in .png");
  }
  const bool differs = pattern.find("{seed}") != std::string::npos || pattern.find("{index}") != std::string::npos;
  if (count > 1 && !differs) pattern_ = (path.parent_path() / path.stem()).string() + "-{index}.png";
}

std::string OutputNames::name(int index) const {
  std::string name = pattern_;
  replace_all(name, "{seed}", std::to_string(first_seed_ + index));
  replace_all(name, "{index}", std::to_string(index));
  return name;
}

}  // namespace lapis::cli
