#include <array>
#include <catch2/catch.hpp>
#include <span>
#include <string>
#include <utility>

#include "io/file/base64.hpp"

using lapis::io::base64;

TEST_CASE("base64 as RFC 4648 has it") {
  const std::array<std::pair<std::string, std::string>, 8> vectors = {{{"", ""},
                                                                       {"f", "Zg=="},
                                                                       {"fo", "Zm8="},
                                                                       {"foo", "Zm9v"},
                                                                       {"foob", "Zm9vYg=="},
                                                                       {"fooba", "Zm9vYmE="},
                                                                       {"foobar", "Zm9vYmFy"},
                                                                       {"\xFB\xEF\xBE\xFF\xFF\xFF", "++++////"}}};
  for (const auto& [bytes, text] : vectors) {
    CHECK(base64(std::as_bytes(std::span(bytes))) == text);
    CHECK(lapis::io::bytes_of_base64(text) == bytes);
  }
}

TEST_CASE("what is no base64 stands for nothing") {
  for (const char* text : {"Zg", "Zg=", "Z===", "====", "Zm9v\n", "Zm-v", "Zh==", "=m9v", "Zm=v"}) {
    INFO(text);
    CHECK_FALSE(lapis::io::bytes_of_base64(text).has_value());
  }
}
