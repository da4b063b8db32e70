#include "io/file/text.hpp"

#include <algorithm>
#include <cstdio>

#include "core/text/unicode.hpp"

namespace lapis::io {

namespace {

std::array<char, 4> hex_escape(char c) {
  constexpr std::string_view digits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  return {'\\', 'x', digits[byte >> 4U], digits[byte & 15U]};
}

/// JSON's escape of a code point: one of UTF-16's units, or two.
std::string json_escapes(char32_t point) {
  char text[16];
  if (point < 0x10000) {
    std::snprintf(text, sizeof text, "\\u%04x", static_cast<unsigned>(point));
  } else {
    const auto above = static_cast<unsigned>(point - 0x10000);
    std::snprintf(text, sizeof text, "\\u%04x\\u%04x", 0xD800U + (above >> 10U), 0xDC00U + (above & 0x3FFU));
  }
  return text;
}

}  // namespace

PrintablePiece printable_piece(std::string_view text) {
  const std::size_t length = core::utf8_length(text);
  PrintablePiece piece;
  piece.taken = std::max<std::size_t>(length, 1);
  const std::string_view character = text.substr(0, piece.taken);
  if (length > 0 && !core::is_unseen(core::code_point(character))) {
    piece.size = character.copy(piece.text.data(), piece.text.size());
    return piece;
  }
  for (const char c : character) {
    for (const char digit : hex_escape(c)) piece.text[piece.size++] = digit;
  }
  return piece;
}

std::string printable(std::string_view text, std::size_t longest) {
  const auto is_ascii = [](char c) { return c >= ' ' && c <= '~'; };
  if (text.size() <= longest && std::ranges::all_of(text, is_ascii)) return std::string(text);  // most names and keys
  std::string result;
  std::size_t at = 0;
  while (at < text.size()) {
    const PrintablePiece piece = printable_piece(text.substr(at));
    at += piece.taken;
    if (at > longest) return result + "...";
    result += piece.shown();
  }
  return result;
}

std::string in_quotes(std::string_view text) { return '"' + printable(text) + '"'; }

std::string printable_json(std::string_view json) {
  std::string result;
  for (std::size_t at = 0; at < json.size();) {
    const std::size_t length = std::max<std::size_t>(core::utf8_length(json.substr(at)), 1);
    const std::string_view character = json.substr(at, length);
    const char32_t point = core::code_point(character);
    const bool blank = point == '\n' || point == '\t' || point == '\r';  // between values; in texts they are escaped
    result += core::is_unseen(point) && !blank ? json_escapes(point) : std::string(character);
    at += length;
  }
  return result;
}

std::string utf8_text(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t good = core::first_bad_utf8(text).value_or(text.size());
    result += text.substr(0, good);
    text.remove_prefix(good);
    if (text.empty()) break;
    result += printable_piece(text).shown();
    text.remove_prefix(1);
  }
  return result;
}

std::string utf8_or_latin1(std::string_view text) {
  return core::first_bad_utf8(text) ? utf8_from_latin1(text) : std::string(text);
}

std::string utf8_from_latin1(std::string_view text) {
  std::string converted;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      converted += c;
    } else {
      converted += static_cast<char>(0xC0U | (byte >> 6U));
      converted += static_cast<char>(0x80U | (byte & 0x3FU));
    }
  }
  return converted;
}

}  // namespace lapis::io
