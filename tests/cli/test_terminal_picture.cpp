#include <catch2/catch.hpp>
#include <string>

#include "cli/terminal_picture.hpp"

using namespace lapis;
using namespace lapis::cli;

TEST_CASE("two rows of pixels are one line of half blocks") {
  const Image image{2, 2, {255, 0, 1, 0, 0, 0, 1, 2, 3, 9, 9, 9}};
  CHECK(half_blocks(image) ==
        "\x1b[38;2;255;0;1m\x1b[48;2;1;2;3m\u2580\x1b[38;2;0;0;0m\x1b[48;2;9;9;9m\u2580\x1b[0m\n");
}

TEST_CASE("the last of an odd count of rows has nothing behind it") {
  CHECK(half_blocks({1, 1, {1, 2, 3}}) == "\x1b[38;2;1;2;3m\u2580\x1b[0m\n");
}

TEST_CASE("without colour the darker is the emptier") {
  const Image image{3, 2, {0, 0, 0, 128, 128, 128, 255, 255, 255, 0, 0, 0, 128, 128, 128, 255, 255, 255}};
  CHECK(shaded(image) == " +@\n");
  CHECK(shaded({1, 3, {0, 0, 0, 255, 255, 255, 255, 255, 255}}) == "=\n@\n");
}

TEST_CASE("a picture is narrowed in its shape, and never widened") {
  Image image{100, 50, {}};
  image.rgb.assign(100 * 50 * 3, 7);
  const Image narrow = narrowed(image, 40);
  CHECK(narrow.width == 40);
  CHECK(narrow.height == 20);
  CHECK(narrow.rgb == std::vector<std::uint8_t>(40 * 20 * 3, 7));
  CHECK(narrowed(image, 100).rgb == image.rgb);
  CHECK(narrowed({100, 1, std::vector<std::uint8_t>(300)}, 10).height == 1);
}
