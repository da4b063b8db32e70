#include "core/unicode.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace lapis::core {
namespace {

/// One row of Unicode 15, table 3-7: what may begin a sequence, what its second byte may be, how many bytes it has.
struct Utf8Form {
  std::uint8_t first_low;
  std::uint8_t first_high;
  std::uint8_t second_low;
  std::uint8_t second_high;
  std::size_t length;
};

constexpr std::array<Utf8Form, 9> utf8_forms = {{
    {0x00, 0x7F, 0x80, 0xBF, 1},
    {0xC2, 0xDF, 0x80, 0xBF, 2},
    {0xE0, 0xE0, 0xA0, 0xBF, 3},
    {0xE1, 0xEC, 0x80, 0xBF, 3},
    {0xED, 0xED, 0x80, 0x9F, 3},
    {0xEE, 0xEF, 0x80, 0xBF, 3},
    {0xF0, 0xF0, 0x90, 0xBF, 4},
    {0xF1, 0xF3, 0x80, 0xBF, 4},
    {0xF4, 0xF4, 0x80, 0x8F, 4},
}};

bool within(char byte, std::uint8_t low, std::uint8_t high) {
  const auto value = static_cast<std::uint8_t>(byte);
  return value >= low && value <= high;
}

/// The length of the well-formed sequence that `text` begins with, 0 where it begins with none.
std::size_t sequence_length(std::string_view text) {
  for (const Utf8Form& form : utf8_forms) {
    if (!within(text[0], form.first_low, form.first_high)) continue;
    if (form.length > text.size()) return 0;
    if (form.length > 1 && !within(text[1], form.second_low, form.second_high)) return 0;
    for (std::size_t i = 2; i < form.length; ++i) {
      if (!within(text[i], 0x80, 0xBF)) return 0;
    }
    return form.length;
  }
  return 0;
}

}  // namespace

std::optional<std::size_t> first_bad_utf8(std::string_view text) {
  std::size_t offset = 0;
  while (offset < text.size()) {
    const std::size_t length = sequence_length(text.substr(offset));
    if (length == 0) return offset;
    offset += length;
  }
  return std::nullopt;
}

std::string_view stripped(std::string_view text) {
  static constexpr std::array<std::string_view, 19> wide = {
      "\u0085", "\u00A0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
      "\u2007", "\u2008", "\u2009", "\u200A", "\u2028", "\u2029", "\u202F", "\u205F", "\u3000"};
  const auto is_blank = [](char c) { return (c >= '\t' && c <= '\r') || (c >= '\x1c' && c <= ' '); };
  while (!text.empty()) {
    const auto at_front = std::find_if(wide.begin(), wide.end(), [&](auto blank) { return text.starts_with(blank); });
    const auto at_back = std::find_if(wide.begin(), wide.end(), [&](auto blank) { return text.ends_with(blank); });
    if (is_blank(text.front())) {
      text.remove_prefix(1);
    } else if (is_blank(text.back())) {
      text.remove_suffix(1);
    } else if (at_front != wide.end()) {
      text.remove_prefix(at_front->size());
    } else if (at_back != wide.end()) {
      text.remove_suffix(at_back->size());
    } else {
      return text;
    }
  }
  return text;
}

}  // namespace lapis::core
