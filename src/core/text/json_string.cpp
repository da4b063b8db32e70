#include "core/text/json_string.hpp"

#include <array>
#include <cstdint>
#include <unicode/unistr.h>
#include <unicode/utf16.h>
#include <utility>

namespace lapis::core {
namespace {

/// Escapes of one letter, and what they stand for. All but the slash are written so.
constexpr std::array<std::pair<char, char>, 8> letter_escapes = {{
    {'"', '"'},
    {'\\', '\\'},
    {'b', '\b'},
    {'f', '\f'},
    {'n', '\n'},
    {'r', '\r'},
    {'t', '\t'},
    {'/', '/'},
}};

std::optional<std::uint32_t> hex_value(std::string_view digits) {
  if (digits.size() != 4) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : digits) {
    value *= 16;
    if (c >= '0' && c <= '9') {
      value += static_cast<std::uint32_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value += static_cast<std::uint32_t>(c - 'a' + 10);
    } else if (c >= 'A' && c <= 'F') {
      value += static_cast<std::uint32_t>(c - 'A' + 10);
    } else {
      return std::nullopt;
    }
  }
  return value;
}

void append_code_point(std::uint32_t code_point, std::string& text) {
  const bool surrogate = U_IS_SURROGATE(code_point);
  icu::UnicodeString(surrogate ? UChar32{0xFFFD} : static_cast<UChar32>(code_point)).toUTF8String(text);
}

/// Takes a \u escape (the backslash and u already gone) from `rest`, with the second half of a surrogate pair.
bool take_unicode_escape(std::string_view& rest, std::string& text) {
  const std::optional<std::uint32_t> first = hex_value(rest.substr(0, 4));
  if (!first) return false;
  rest.remove_prefix(4);
  if (U16_IS_LEAD(*first) && rest.starts_with("\\u")) {
    const std::optional<std::uint32_t> second = hex_value(rest.substr(2, 4));
    if (second && U16_IS_TRAIL(*second)) {
      rest.remove_prefix(6);
      append_code_point(static_cast<std::uint32_t>(U16_GET_SUPPLEMENTARY(*first, *second)), text);
      return true;
    }
  }
  append_code_point(*first, text);
  return true;
}

bool take_escape(std::string_view& rest, std::string& text) {
  if (rest.empty()) return false;
  const char letter = rest.front();
  rest.remove_prefix(1);
  if (letter == 'u') return take_unicode_escape(rest, text);
  for (const auto& [escape, meaning] : letter_escapes) {
    if (letter != escape) continue;
    text += meaning;
    return true;
  }
  return false;
}

std::string escaped(char c) {
  for (const auto& [escape, meaning] : letter_escapes) {
    if (c == meaning && c != '/') return {'\\', escape};
  }
  if (static_cast<unsigned char>(c) >= 0x20) return {c};
  constexpr std::string_view digits = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(c);
  return std::string("\\u00") + digits[value / 16] + digits[value % 16];
}

}  // namespace

std::string quote_json(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) quoted += escaped(c);
  return quoted + '"';
}

std::optional<std::string> unquote_json(std::string_view quoted) {
  if (quoted.size() < 2 || quoted.front() != '"' || quoted.back() != '"') return std::nullopt;
  std::string_view rest = quoted.substr(1, quoted.size() - 2);
  std::string text;
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c == '"' || static_cast<unsigned char>(c) < 0x20) return std::nullopt;
    if (c != '\\') {
      text += c;
    } else if (!take_escape(rest, text)) {
      return std::nullopt;
    }
  }
  return text;
}

}  // namespace lapis::core
