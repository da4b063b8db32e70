#include "io/file/foreign_json.hpp"

#include <array>
#include <iterator>
#include <string_view>

#include "io/file/mapped_file.hpp"
#include "io/file/text.hpp"
#include "lapis/error.hpp"

namespace lapis::io {
namespace {

/// `text` with quotes around what Python writes for numbers that JSON has not.
std::string quoted_words(std::string_view text) {
  static constexpr std::array<std::string_view, 3> words = {"-Infinity", "Infinity", "NaN"};
  std::string quoted;
  bool inside = false;
  for (std::size_t i = 0; i < text.size();) {
    std::string_view found;
    for (const std::string_view word : words) {
      if (!inside && text.substr(i).starts_with(word)) found = word;
      if (!found.empty()) break;
    }
    if (!found.empty()) {
      quoted += '"' + std::string(found) + '"';
      i += found.size();
      continue;
    }
    const std::size_t length = inside && text[i] == '\\' ? 2 : 1;  // an escaped quote ends no text
    if (text[i] == '"') inside = !inside;
    quoted += text.substr(i, length);
    i += length;
  }
  return quoted;
}

}  // namespace

void erase_nulls(nlohmann::json& object) {
  for (auto member = object.begin(); member != object.end();) {
    member = member->is_null() ? object.erase(member) : std::next(member);
  }
}

ForeignJson::ForeignJson(const std::filesystem::path& path, const std::string& advice, std::size_t longest)
    : source_{path.string(), ErrorKind::input, advice, longest} {
  const MappedFile file(path, ErrorKind::input);
  const std::string_view text = as_chars(file.bytes());
  document_ = parse_json(text.size() > longest ? std::string(text) : quoted_words(text), source_);
  if (!document_.is_object()) value().fail("is no object of keys and values");
  erase_nulls(document_);
}

}  // namespace lapis::io
