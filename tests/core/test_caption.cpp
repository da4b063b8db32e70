#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/picture/caption.hpp"
#include "core/picture/pixels.hpp"
#include "core/picture/resize.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

constexpr Colour red = {200, 10, 20};

Image black(int width, int height) {
  return {width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(width) * height * 3)};
}

/// The picture of a text on black, just as large as the text says it is.
Image picture_of(const std::string& text, int scale) {
  const PixelSize size = caption_size(text, scale);
  Image image = black(size.width, size.height);
  draw_caption(image, text, 0, 0, scale, red);
  return image;
}

/// Rows of "#" and "."; every pixel must be red or black.
std::vector<std::string> dots(const Image& image) {
  std::vector<std::string> rows(static_cast<std::size_t>(image.height));
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
    const Colour colour = {image.rgb[i], image.rgb[i + 1], image.rgb[i + 2]};
    CHECK((colour == red || colour == Colour{}));
    rows[i / 3 / static_cast<std::size_t>(image.width)] += colour == red ? '#' : '.';
  }
  return rows;
}

}  // namespace

TEST_CASE("letters are what they should look like") {
  const std::vector<std::string> expected = {"#..#..", "#..#..", "#..#..", "####..", "#..#..", "#..#..",
                                             "#..#..", "......", "......", "......", "......", "......"};
  Image image = black(6, 12);
  draw_caption(image, "H", 0, 0, 1, red);
  CHECK(dots(image) == expected);
}

TEST_CASE("a text is as large as it says, and grows by whole dots") {
  const std::string text = "Wrong: 9.8 dB, gjpqy {}|~";
  const Image twice = picture_of(text, 2);
  CHECK(twice.height == 24);
  const Image four = picture_of(text, 4);
  CHECK(four.width == 2 * twice.width);
  CHECK(four.rgb == rgb_image(resized(pixels_of(twice), four.width, four.height, Filter::box)).rgb);
  Image roomy = black(twice.width + 50, twice.height + 50);
  draw_caption(roomy, text, 0, 0, 2, red);
  CHECK(std::count(roomy.rgb.begin(), roomy.rgb.end(), red[0]) ==
        std::count(twice.rgb.begin(), twice.rgb.end(), red[0]));
}

TEST_CASE("every printable character but | and l has a shape of its own, and a blank has none") {
  std::vector<std::vector<std::string>> shapes;
  for (char c = '!'; c <= '~'; ++c) {
    if (c == '|') continue;
    Image image = black(24, 24);
    draw_caption(image, std::string(1, c), 0, 0, 2, red);
    const std::vector<std::string> shape = dots(image);
    CAPTURE(c);
    CHECK(std::find(shapes.begin(), shapes.end(), shape) == shapes.end());
    shapes.push_back(shape);
  }
  CHECK(picture_of(" ", 2).rgb == std::vector<std::uint8_t>(picture_of(" ", 2).rgb.size()));
}

TEST_CASE("what the font lacks is one question mark a character") {
  const Image asked = picture_of("a?b", 2);
  for (const char* text : {"a\xC3\xADz", "a\xE2\x86\x92z", "a\xF0\x9F\x8F\xA0z", "a\x7Fz", "a\nz", "a\x1Bz"}) {
    std::string same = text;
    same.back() = 'b';
    CHECK(picture_of(same, 2).rgb == asked.rgb);
  }
  CHECK(picture_of("ab", 2).rgb != asked.rgb);
}

TEST_CASE("what falls beside the picture is not drawn") {
  Image image = black(20, 10);
  for (const int left : {-1000, -5, 15, 1000}) {
    for (const int top : {-1000, -5, 5, 1000}) draw_caption(image, "WWWW", left, top, 3, red);
  }
  CHECK(image.rgb.size() == 600);
  Image whole = picture_of("Wide", 2);
  Image part = black(whole.width - 7, whole.height - 5);
  draw_caption(part, "Wide", -7, -5, 2, red);
  const std::vector<std::string> rows = dots(whole);
  const std::vector<std::string> shown = dots(part);
  for (std::size_t y = 0; y < shown.size(); ++y) CHECK(shown[y] == rows[y + 5].substr(7));
}

TEST_CASE("rectangles are filled up to their right and bottom") {
  Image image = black(4, 3);
  fill(image, {1, -7, 3, 2}, red);
  CHECK(dots(image) == std::vector<std::string>{".##.", ".##.", "...."});
}

TEST_CASE("lines are broken at blanks and no wider than they may be") {
  const std::string line = "16 channels into a decoder of 4";
  const int width = caption_size("into a decoder", 2).width;
  CHECK(wrapped(line, width, 2) == std::vector<std::string>{"16 channels", "into a decoder", "of 4"});
  CHECK(wrapped(line, width - 1, 2) == std::vector<std::string>{"16 channels", "into a", "decoder of 4"});
  const std::string text = " the  quick\tbrown\nfox jumps over_a_word_that_is_longer_than_any_line 1 ";
  std::string together;
  for (const std::string& each : wrapped(text, 100, 2)) {
    CHECK(caption_size(each, 2).width <= 100);
    together += each;
  }
  std::string letters = text;
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\n'; };
  letters.erase(std::remove_if(letters.begin(), letters.end(), blank), letters.end());
  together.erase(std::remove_if(together.begin(), together.end(), blank), together.end());
  CHECK(together == letters);
  CHECK(wrapped("ab", 1, 2) == std::vector<std::string>{"a", "b"});
  CHECK(wrapped("  ", 100, 2).empty());
}
