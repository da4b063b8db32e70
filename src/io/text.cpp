#include "io/text.hpp"

#include "core/unicode.hpp"

namespace lapis::io {

namespace {

unsigned char byte_at(std::string_view text, std::size_t i) { return static_cast<unsigned char>(text[i]); }

bool is_continuation(unsigned char byte) { return (byte & 0xC0U) == 0x80U; }

/// U+0000 to U+001F, U+007F, and U+0080 to U+009F, of which terminals obey some as they obey escape sequences.
bool is_control(std::string_view text, std::size_t i) {
  const unsigned char byte = byte_at(text, i);
  if (byte < 0x20 || byte == 0x7F) return true;
  if (byte == 0xC2) return i + 1 < text.size() && byte_at(text, i + 1) < 0xA0;
  return i > 0 && byte_at(text, i - 1) == 0xC2 && byte < 0xA0;
}

std::string hex_escape(unsigned char byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  return {'\\', 'x', digits[byte >> 4U], digits[byte & 15U]};
}

}  // namespace

std::string printable(std::string_view text, std::size_t longest) {
  std::size_t shown = text.size();
  if (shown > longest) {
    shown = longest;
    while (shown > 0 && is_continuation(byte_at(text, shown))) --shown;
  }
  const std::string_view head = text.substr(0, shown);
  const bool well_formed = !core::first_bad_utf8(head);
  std::string result;
  for (std::size_t i = 0; i < head.size(); ++i) {
    const unsigned char byte = byte_at(head, i);
    if (is_control(head, i) || (byte > 0x7F && !well_formed)) {
      result += hex_escape(byte);
    } else {
      result += head[i];
    }
  }
  if (shown < text.size()) result += "...";
  return result;
}

std::string in_quotes(std::string_view text) { return '"' + printable(text) + '"'; }

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
