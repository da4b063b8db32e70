#include <array>
#include <catch2/catch.hpp>
#include <string>

#include "core/unicode.hpp"

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
