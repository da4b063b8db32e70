#include <array>
#include <catch2/catch.hpp>
#include <string>

#include "io/file/text.hpp"

using namespace lapis::io;

TEST_CASE("in_quotes shows plain text and UTF-8 as they are") {
  CHECK(in_quotes("unet.conv_in") == "\"unet.conv_in\"");
  CHECK(in_quotes("größe 人生") == "\"größe 人生\"");
  CHECK(in_quotes("") == "\"\"");
}

TEST_CASE("in_quotes lets nothing through that a terminal would obey") {
  CHECK(in_quotes("a\x1b[2Jb") == "\"a\\x1b[2Jb\"");
  CHECK(in_quotes("a\nb\x7f") == "\"a\\x0ab\\x7f\"");
  CHECK(in_quotes("\xC2\x9B") == "\"\\xc2\\x9b\"");
  CHECK(in_quotes("\xC2\xA9") == "\"\xC2\xA9\"");
  CHECK(in_quotes("\xFF\xC3") == "\"\\xff\\xc3\"");
}

TEST_CASE("in_quotes lets nothing through that looks other than it is") {
  struct Row {
    const char* what;
    std::string text;
    std::string shown;
  };
  const std::array<Row, 11> rows = {{
      {"override of direction",
       "gnp.\xE2\x80\xAE"
       "exe",
       R"(gnp.\xe2\x80\xaeexe)"},
      {"isolate", "\xE2\x81\xA6", R"(\xe2\x81\xa6)"},
      {"zero width space", "a\xE2\x80\x8B", R"(a\xe2\x80\x8b)"},
      {"byte order mark", "\xEF\xBB\xBFz", R"(\xef\xbb\xbfz)"},
      {"line separator", "\xE2\x80\xA8", R"(\xe2\x80\xa8)"},
      {"tag", "\xF3\xA0\x81\x81", R"(\xf3\xa0\x81\x81)"},
      {"soft hyphen", "\xC2\xAD", R"(\xc2\xad)"},
      {"NUL", std::string("\0", 1), R"(\x00)"},
      {"one bad byte leaves the rest", "gr\xC3\xBCn\xFF", "gr\xC3\xBCn\\xff"},
      {"half a character", "\xE4\xBA", R"(\xe4\xba)"},
      {"emoji with a joiner", "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x9A\x80\xEF\xB8\x8F",
       "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x9A\x80\xEF\xB8\x8F"},
  }};
  for (const Row& row : rows) {
    INFO(row.what);
    CHECK(in_quotes(row.text) == '"' + row.shown + '"');
  }
}

TEST_CASE("printable_json keeps the document's value") {
  CHECK(printable_json("{\"a\": \"gr\xC3\xBCn\"}\n") == "{\"a\": \"gr\xC3\xBCn\"}\n");
  CHECK(printable_json("\"\xC2\x9B\"") == "\"\\u009b\"");
  CHECK(printable_json("\"\x7F\"") == "\"\\u007f\"");
  CHECK(printable_json("\"\xE2\x80\xAE\"") == "\"\\u202e\"");
  CHECK(printable_json("\"\xF3\xA0\x81\x81\"") == "\"\\udb40\\udc41\"");
}

TEST_CASE("in_quotes cuts long text between characters") {
  CHECK(in_quotes(std::string(80, 'a')) == '"' + std::string(80, 'a') + '"');
  CHECK(in_quotes(std::string(81, 'a')) == '"' + std::string(80, 'a') + "...\"");
  CHECK(in_quotes(std::string(79, 'a') + "ü") == '"' + std::string(79, 'a') + "...\"");
}

TEST_CASE("Latin-1 becomes UTF-8") {
  CHECK(utf8_from_latin1("J\xFCrgen") == "Jürgen");
  CHECK(utf8_from_latin1("plain") == "plain");
  CHECK(utf8_or_latin1("J\xFCrgen") == "Jürgen");
  CHECK(utf8_or_latin1("Jürgen") == "Jürgen");
}
