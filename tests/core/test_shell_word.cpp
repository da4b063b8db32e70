#include <catch2/catch.hpp>

#include "core/text/shell_word.hpp"

using lapis::core::shell_word;

TEST_CASE("a word that a shell leaves alone stays as it is") {
  CHECK(shell_word("a-b_c/d.safetensors") == "a-b_c/d.safetensors");
  CHECK(shell_word("sd15:tiny-sd15") == "sd15:tiny-sd15");
}

TEST_CASE("any other is quoted") {
  CHECK(shell_word("a b") == "'a b'");
  CHECK(shell_word("") == "''");
  CHECK(shell_word("it's") == "'it'\\''s'");
  CHECK(shell_word("$HOME") == "'$HOME'");
  CHECK(shell_word("a\nb") == "'a\nb'");
}
