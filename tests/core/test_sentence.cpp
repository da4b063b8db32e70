#include <array>
#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/text/names.hpp"
#include "core/text/sentence.hpp"

namespace lapis::core {
namespace {

TEST_CASE("a sentence has its values in their places") {
  CHECK(sentence("{} is {} x {} pixels", std::string("a.png"), 512, 768) == "a.png is 512 x 768 pixels");
  CHECK(sentence("{:.2f} s a step", 1.004) == "1.00 s a step");
  CHECK(sentence("nothing to say") == "nothing to say");
  CHECK(sentence("{} {} {} {} 0x{:02X}", 'c', std::int8_t{-3}, 2.5, std::size_t{7}, std::uint8_t{10}) ==
        "c -3 2.5 7 0x0A");
}

TEST_CASE("names in a sentence are marked") {
  CHECK(sentence("{steps} is {}; see {lapis inspect}, or {-model}", 0) ==
        marked("{steps} is 0; see {lapis inspect}, or {-model}"));
}

TEST_CASE("what stands in a value is neither a place, nor a name, nor a brace") {
  CHECK(sentence("no file {}", std::string("{steps}{}{{")) == "no file {steps}{}{{");
}

TEST_CASE("doubled braces are braces") {
  CHECK(sentence("-o \"{{name}}.png\" for {}", std::string("{name}")) == "-o \"{name}.png\" for {name}");
}

TEST_CASE("words are joined") {
  const std::array<std::string, 3> words = {"a", "b", "c"};
  CHECK(joined(words) == "a, b, c");
  CHECK(joined(words, " or ") == "a or b or c");
  CHECK(joined({}) == "");
}

}  // namespace
}  // namespace lapis::core
