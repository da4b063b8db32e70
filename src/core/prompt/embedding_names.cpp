#include "core/prompt/embedding_names.hpp"

#include <algorithm>
#include <set>

#include "core/text/suggest.hpp"

namespace lapis::core {
namespace {

constexpr std::string_view blanks = " \t\n\r\v\f";
constexpr std::string_view call = "embedding:";
constexpr std::string_view extension = ".safetensors";

enum class CharacterKind { blank, letter, digit, sign };

CharacterKind kind_of(char c) {
  if (blanks.find(c) != std::string_view::npos) return CharacterKind::blank;
  if (c >= '0' && c <= '9') return CharacterKind::digit;
  const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
  return letter ? CharacterKind::letter : CharacterKind::sign;
}

/// Whether a tokenizer cuts between the bytes at - 1 and at: between kinds, and between any two digits.
bool is_cut(std::string_view text, std::size_t at) {
  if (at == 0 || at >= text.size()) return true;
  const CharacterKind before = kind_of(text[at - 1]);
  const CharacterKind after = kind_of(text[at]);
  return before != after || after == CharacterKind::digit || after == CharacterKind::blank;
}

bool begins(std::string_view text, std::string_view name) {
  return text.size() >= name.size() && equal_ignoring_case(text.substr(0, name.size()), name);
}

std::optional<std::size_t> index_of(std::string_view name, std::span<const std::string> names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (equal_ignoring_case(names[i], name)) return i;
  }
  return std::nullopt;
}

/// A name that stands in a text, and the bytes it takes there; 0 for none.
struct Found {
  std::size_t embedding = 0;
  std::size_t length = 0;
};

Found name_at(std::string_view text, std::size_t at, std::span<const std::string> names, PromptSyntax syntax) {
  Found best;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::size_t length = names[i].size();
    const std::string_view rest = text.substr(at);
    const bool word = begins(rest, names[i]) && is_cut(text, at) && is_cut(text, at + length);
    if (word && length > best.length) best = {i, length};
    const bool angled = syntax == PromptSyntax::plain && rest.starts_with('<') && begins(rest.substr(1), names[i]) &&
                        rest.substr(1 + length).starts_with('>');
    if (angled && length + 2 > best.length) best = {i, length + 2};
  }
  return best;
}

void append_text(std::string_view text, std::vector<NamedPiece>& pieces) {
  if (text.find_first_not_of(blanks) != std::string_view::npos) pieces.push_back({std::string(text), std::nullopt});
}

std::vector<NamedPiece> split_at_words(std::string_view text, std::span<const std::string> names, PromptSyntax syntax) {
  std::vector<NamedPiece> pieces;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Found found = name_at(text, at, names, syntax);
    if (found.length == 0) {
      ++at;
      continue;
    }
    append_text(text.substr(begin, at - begin), pieces);
    pieces.push_back({std::string(text.substr(at, found.length)), found.embedding});
    at += found.length;
    begin = at;
  }
  append_text(text.substr(begin), pieces);
  return pieces;
}

std::string_view without_extension(std::string_view name) {
  const std::size_t stem = name.size() < extension.size() ? name.size() : name.size() - extension.size();
  if (equal_ignoring_case(name.substr(stem), extension)) name.remove_suffix(extension.size());
  return name;
}

/// Where the next call begins: at `at` itself if that begins the text, or behind a blank or a line break.
std::size_t next_call(std::string_view text, std::size_t at) {
  for (std::size_t found = text.find(call, at); found != std::string_view::npos; found = text.find(call, found + 1)) {
    if (found == 0 || text[found - 1] == ' ' || text[found - 1] == '\n') return found;
  }
  return text.size();
}

std::vector<NamedPiece> split_at_calls(std::string_view text, std::span<const std::string> names,
                                       std::vector<std::string>& unknown) {
  std::vector<NamedPiece> pieces;
  std::size_t at = next_call(text, 0);
  append_text(text.substr(0, at), pieces);
  while (at < text.size()) {
    const std::size_t name_begin = at + call.size();
    std::size_t name_end = std::min(text.find_first_of(blanks, name_begin), text.size());
    const std::string_view whole = text.substr(name_begin, name_end - name_begin);
    std::optional<std::size_t> embedding = index_of(without_extension(whole), names);
    if (!embedding) {
      std::string_view bare = whole;
      while (bare.ends_with(',')) bare.remove_suffix(1);
      embedding = index_of(without_extension(bare), names);
      if (!embedding) unknown.emplace_back(bare);
      name_end = name_begin + bare.size();
    }
    if (embedding) pieces.push_back({std::string(text.substr(at, name_end - at)), embedding});
    at = next_call(text, name_end);
    append_text(text.substr(name_end, at - name_end), pieces);
  }
  return pieces;
}

}  // namespace

std::vector<NamedPiece> split_at_names(std::string_view text, std::span<const std::string> names, PromptSyntax syntax,
                                       std::vector<std::string>& unknown) {
  if (syntax == PromptSyntax::comfy) return split_at_calls(text, names, unknown);
  return split_at_words(text, names, syntax);
}

std::vector<std::size_t> called_names(const ParsedPrompt& prompt, std::span<const std::string> names,
                                      PromptSyntax syntax) {
  std::set<std::size_t> called;
  std::vector<std::string> unknown;
  for (const PromptSegment& segment : prompt.segments) {
    for (const NamedPiece& piece : split_at_names(segment.text, names, syntax, unknown)) {
      if (piece.embedding) called.insert(*piece.embedding);
    }
  }
  return {called.begin(), called.end()};
}

}  // namespace lapis::core
