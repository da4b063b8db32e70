#include "core/text/unicode.hpp"

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

/// First and last code point.
struct Range {
  char32_t first;
  char32_t last;
};

/// Of Unicode 15: Cc, Zl, Zp, and of Cf and of what else has no ink (Default_Ignorable_Code_Point) all but the joiners,
/// the variation selectors and the signs that are seen.
constexpr std::array<Range, 20> unseen = {{
    {0x0000, 0x001F}, {0x007F, 0x009F},   {0x00AD, 0x00AD},   {0x034F, 0x034F},   {0x061C, 0x061C},
    {0x115F, 0x1160}, {0x17B4, 0x17B5},   {0x180E, 0x180E},   {0x200B, 0x200B},   {0x200E, 0x200F},
    {0x2028, 0x202E}, {0x2060, 0x206F},   {0x3164, 0x3164},   {0xFEFF, 0xFEFF},   {0xFFA0, 0xFFA0},
    {0xFFF0, 0xFFFB}, {0x13430, 0x1343F}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A}, {0xE0000, 0xE00FF},
}};

}  // namespace

std::size_t utf8_length(std::string_view text) {
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

std::optional<std::size_t> first_bad_utf8(std::string_view text) {
  std::size_t offset = 0;
  while (offset < text.size()) {
    const std::size_t length = utf8_length(text.substr(offset));
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

char32_t code_point(std::string_view sequence) {
  const auto first = static_cast<std::uint8_t>(sequence[0]);
  if (sequence.size() == 1) return first;
  char32_t point = first & (0x7FU >> sequence.size());
  for (const char c : sequence.substr(1)) point = (point << 6U) | (static_cast<std::uint8_t>(c) & 0x3FU);
  return point;
}

bool is_unseen(char32_t point) {
  const auto range = std::ranges::lower_bound(unseen, point, {}, &Range::last);
  return range != unseen.end() && point >= range->first;
}

}  // namespace lapis::core
