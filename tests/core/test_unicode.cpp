#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <unicode/uchar.h>

#include "core/text/unicode.hpp"

using namespace lapis::core;

TEST_CASE("well-formed UTF-8 has no bad byte") {
  const std::string with_nul("a\0b", 3);
  const std::array<std::string, 6> texts = {
      "",
      "plain",
      with_nul,
      "\xC2\x80 \xDF\xBF",
      "\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF",
      "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF",
  };
  for (const std::string& text : texts) CHECK_FALSE(first_bad_utf8(text).has_value());
}

TEST_CASE("the first bad byte is found") {
  struct Row {
    const char* what;
    std::string text;
    std::size_t offset;
  };
  const std::array<Row, 12> rows = {{
      {"lone continuation", "ab\x80", 2},
      {"overlong two bytes", "a\xC0\xAF", 1},
      {"overlong three bytes", "\xE0\x9F\xBF", 0},
      {"overlong four bytes", "\xF0\x8F\xBF\xBF", 0},
      {"surrogate", "x\xED\xA0\x80", 1},
      {"above U+10FFFF", "\xF4\x90\x80\x80", 0},
      {"first byte F5", "\xF5\x80\x80\x80", 0},
      {"byte FF", "caf\xC3\xA9\xFF", 5},
      {"cut after one of two", "caf\xC3", 3},
      {"cut after three of four", "\xF0\x9F\xA6", 0},
      {"third byte bad", "\xE2\x82z", 0},
      {"fourth byte bad", "\xF0\x9F\xA6z", 0},
  }};
  for (const Row& row : rows) {
    INFO(row.what);
    CHECK(first_bad_utf8(row.text) == row.offset);
  }
}

TEST_CASE("blanks of every script go from both ends, and none from between") {
  // [c for c in map(chr, range(0x110000)) if not c.strip()] of CPython 3.11
  for (const char* blank :
       {"\t",     "\n",     "\v",     "\f",     "\r",     "\x1c",   "\x1d",   "\x1e",   "\x1f",   " ",
        "\u0085", "\u00a0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
        "\u2007", "\u2008", "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"}) {
    const std::string text = std::string("a") + blank + "b";
    CHECK(stripped(blank + text + blank + blank) == text);
    CHECK(stripped(blank).empty());
  }
  for (const char* kept : {"\u200b", "\ufeff", "\u180e", "\u00e0", "\x1b"}) CHECK(stripped(kept) == kept);
}

TEST_CASE("a character's length and code point") {
  struct Row {
    std::string text;
    std::size_t length;
    char32_t point;
  };
  const std::array<Row, 6> rows = {{
      {"a", 1, U'a'},
      {"\xC2\x9B", 2, 0x9B},
      {"\xE2\x80\xAE", 3, 0x202E},
      {"\xF3\xA0\x81\x81", 4, 0xE0041},
      {"\xF4\x8F\xBF\xBF", 4, 0x10FFFF},
      {std::string(1, '\0'), 1, 0},
  }};
  for (const Row& row : rows) {
    CHECK(utf8_length(row.text) == row.length);
    CHECK(utf8_length(row.text + "z") == row.length);
    CHECK(code_point(row.text) == row.point);
  }
  CHECK(utf8_length("\x80") == 0);
  CHECK(utf8_length("\xE2\x80") == 0);
}

TEST_CASE("what is not seen is told from what is") {
  for (char32_t point = 0; point < 0x110000; ++point) {
    if (point >= 0xD800 && point <= 0xDFFF) continue;
    // ICU's tables, read by a program of the same library, are the other opinion.
    const int category = u_charType(static_cast<UChar32>(point));
    const bool control =
        category == U_CONTROL_CHAR || category == U_LINE_SEPARATOR || category == U_PARAGRAPH_SEPARATOR;
    const bool formats = category == U_FORMAT_CHAR &&
                         u_hasBinaryProperty(static_cast<UChar32>(point), UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
    const bool joiner = point == 0x200C || point == 0x200D;
    if ((control || formats) && !joiner) {
      INFO("U+" << std::hex << static_cast<unsigned>(point));
      CHECK(is_unseen(point));
    }
    const bool seen = u_isgraph(static_cast<UChar32>(point)) &&
                      !u_hasBinaryProperty(static_cast<UChar32>(point), UCHAR_DEFAULT_IGNORABLE_CODE_POINT) &&
                      category != U_FORMAT_CHAR;
    if (seen || joiner || point == U' ') {
      INFO("U+" << std::hex << static_cast<unsigned>(point));
      CHECK_FALSE(is_unseen(point));
    }
  }
}
