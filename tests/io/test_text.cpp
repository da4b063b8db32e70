#include <catch2/catch.hpp>
#include <string>

#include "io/text.hpp"

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

TEST_CASE("in_quotes cuts long text between characters") {
  CHECK(in_quotes(std::string(80, 'a')) == '"' + std::string(80, 'a') + '"');
  CHECK(in_quotes(std::string(81, 'a')) == '"' + std::string(80, 'a') + "...\"");
  CHECK(in_quotes(std::string(79, 'a') + "ü") == '"' + std::string(79, 'a') + "...\"");
}

TEST_CASE("Latin-1 becomes UTF-8") {
  CHECK(utf8_from_latin1("J\xFCrgen") == "Jürgen");
  CHECK(utf8_from_latin1("plain") == "plain");
}
