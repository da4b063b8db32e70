#include <catch2/catch.hpp>

#include "jobs/text_key.hpp"

using namespace lapis::jobs;

TEST_CASE("a key is half the SHA-256 of its text") {
  CHECK(text_key("abc") == TextKey{0xba7816bf8f01cfea, 0x414140de5dae2223});
  CHECK(text_key("abc") != text_key("abd"));
}
