#include "core/text/names.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>

namespace lapis::core {
namespace {

constexpr char opens = '\x0e';   // shift out
constexpr char closes = '\x0f';  // shift in
constexpr std::string_view command_lead = "lapis ";

struct Name {
  NameKind kind;
  std::string_view word;
};

/// The name that marks or braces hold: "steps", "-model" or "lapis inspect".
std::optional<Name> name_in(std::string_view inside) {
  Name name{NameKind::field, inside};
  if (inside.starts_with('-')) name = {NameKind::letter, inside.substr(1)};
  if (inside.starts_with(command_lead)) name = {NameKind::command, inside.substr(command_lead.size())};
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  if (name.word.empty() || !std::all_of(name.word.begin(), name.word.end(), is_letter)) return std::nullopt;
  return name;
}

/// `text` with `shown(inside, name)` in place of each name between `begin` and `end`.
template <typename Shown>
std::string replaced(std::string_view text, char begin, char end, const Shown& shown) {
  std::string result;
  while (!text.empty()) {
    const std::size_t first = std::min(text.find(begin), text.size());
    result += text.substr(0, first);
    text.remove_prefix(first);
    if (text.empty()) break;
    const std::size_t last = text.find(end);
    const std::string_view inside = last == std::string_view::npos ? "" : text.substr(1, last - 1);
    if (const std::optional<Name> name = name_in(inside)) {
      result += shown(inside, *name);
      text.remove_prefix(last + 1);
    } else {
      result += text.front();
      text.remove_prefix(1);
    }
  }
  return result;
}

}  // namespace

std::string field_name(std::string_view key) { return opens + std::string(key) + closes; }

std::string marked(std::string_view text) {
  return replaced(text, '{', '}', [](std::string_view inside, const Name&) { return field_name(inside); });
}

std::string spelled(std::string_view text, const Spelling& spelling) {
  return replaced(text, opens, closes,
                  [&](std::string_view, const Name& name) { return spelling(name.kind, name.word); });
}

std::string plain(std::string_view text) {
  return spelled(text, [](NameKind, std::string_view word) { return std::string(word); });
}

std::vector<std::string> fields_in(std::string_view text) {
  std::vector<std::string> keys;
  spelled(text, [&](NameKind kind, std::string_view word) {
    const bool known = std::find(keys.begin(), keys.end(), word) != keys.end();
    if (kind != NameKind::command && !known) keys.emplace_back(word);
    return std::string();
  });
  return keys;
}

}  // namespace lapis::core
