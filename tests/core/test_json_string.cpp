#include <array>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "core/text/json_string.hpp"

using namespace lapis::core;

TEST_CASE("strings are quoted as nlohmann quotes them, and read back") {
  const std::array<std::string, 6> texts = {
      "", "plain", "a \"b\" \\ / c", "tab\t line\n\r\f\b\x01\x1F", "猫 🦊 é", std::string("a\0b", 3),
  };
  for (const std::string& text : texts) {
    CHECK(quote_json(text) == nlohmann::json(text).dump());
    CHECK(unquote_json(quote_json(text)) == text);
  }
}

TEST_CASE("every escape is read") {
  CHECK(unquote_json(R"("\"\\\/\b\f\n\r\t")") == "\"\\/\b\f\n\r\t");
  CHECK(unquote_json(R"("\u00e9\u732B")") == "é猫");
  CHECK(unquote_json(R"("\ud83e\udd8a")") == "🦊");
  CHECK(unquote_json(R"("\ud83ex\udd8a")") == "\uFFFDx\uFFFD");
}

TEST_CASE("what is no JSON string is not read") {
  const std::array<std::string, 10> texts = {
      "", "\"", "a", "\"a", "a\"", R"("a"b")", R"("\x")", R"("\u12")", R"("\u12g4")", "\"a\nb\"",
  };
  for (const std::string& text : texts) {
    INFO(text);
    CHECK_FALSE(unquote_json(text).has_value());
  }
  CHECK_FALSE(unquote_json("\"\\\"").has_value());
}
