#include <algorithm>
#include <catch2/catch.hpp>
#include <cstddef>
#include <optional>

#include "../pattern.hpp"
#include "core/picture/pixels.hpp"
#include "core/picture/resize.hpp"
#include "core/picture/sheet.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

Image picture(int width, int height) { return rgb_image(test::pattern(width, height, 3)); }

bool stands_at(const Image& sheet, const Image& part, int left, int top) {
  for (int y = 0; y < part.height; ++y) {
    const auto from = part.rgb.begin() + static_cast<std::ptrdiff_t>(y) * part.width * 3;
    const auto at = sheet.rgb.begin() + (static_cast<std::ptrdiff_t>(top + y) * sheet.width + left) * 3;
    if (!std::equal(from, from + static_cast<std::ptrdiff_t>(part.width) * 3, at)) return false;
  }
  return true;
}

/// Where `part` stands in `sheet`, pixel by pixel.
std::optional<PixelSize> place_of(const Image& sheet, const Image& part) {
  for (int top = 0; top + part.height <= sheet.height; ++top) {
    for (int left = 0; left + part.width <= sheet.width; ++left) {
      if (stands_at(sheet, part, left, top)) return PixelSize{left, top};
    }
  }
  return std::nullopt;
}

Sheet sample(const Image& first, const Image& second) {
  Sheet sheet;
  sheet.title = "Title";
  sheet.columns = {{"one"}, {"two"}};
  sheet.rows = {{"row", "more of it"}};
  sheet.cells = {{{{first, "", {{"caption", {200, 0, 0}}}}}, true}, {{{second, "", {}}}}};
  return sheet;
}

int pixels_of_colour(const Image& image, Colour colour) {
  int count = 0;
  for (std::size_t i = 0; i < image.rgb.size(); i += 3)
    count += image.rgb[i] == colour[0] && image.rgb[i + 1] == colour[1] && image.rgb[i + 2] == colour[2];
  return count;
}

}  // namespace

TEST_CASE("pictures stand in their sheet as they are, side by side in a row") {
  const Image first = picture(130, 128);
  Image second = first;
  std::reverse(second.rgb.begin(), second.rgb.end());
  const Image sheet = drawn(sample(first, second));
  CHECK(sheet.rgb.size() == static_cast<std::size_t>(sheet.width) * sheet.height * 3);
  const auto one = place_of(sheet, first);
  const auto two = place_of(sheet, second);
  REQUIRE(one);
  REQUIRE(two);
  CHECK(one->height == two->height);
  CHECK(two->width >= one->width + 130);
  CHECK(pixels_of_colour(sheet, {200, 0, 0}) > 100);
}

TEST_CASE("small pictures are enlarged by whole pixels and large ones shrunk") {
  const Image sheet = drawn(sample(picture(40, 32), picture(600, 300)));
  CHECK(place_of(sheet, rgb_image(resized(test::pattern(40, 32, 3), 120, 96, Filter::box))));
  CHECK(place_of(sheet, rgb_image(resized(test::pattern(600, 300, 3), 256, 128, Filter::lanczos))));
  CHECK_FALSE(place_of(sheet, picture(40, 32)));
}

TEST_CASE("a text stands in a picture's place, and makes room for itself") {
  Sheet sheet = sample(picture(128, 128), picture(128, 128));
  const Image plain = drawn(sheet);
  sheet.cells[1].tiles[0] = {std::nullopt, "cannot be", {}};
  const Image few = drawn(sheet);
  CHECK(few.height == plain.height);
  CHECK(few.rgb != plain.rgb);
  for (int i = 0; i < 20; ++i) sheet.cells[1].tiles[0].text += " and so on";
  CHECK(drawn(sheet).height > plain.height);
}

TEST_CASE("a frame is drawn around marked cells alone") {
  Sheet sheet = sample(picture(128, 128), picture(128, 128));
  const Image framed = drawn(sheet);
  sheet.cells[0].marked = false;
  const Image plain = drawn(sheet);
  CHECK(framed.width == plain.width);
  CHECK(framed.rgb != plain.rgb);
  sheet.cells[0].tiles.clear();
  CHECK(drawn(sheet).rgb != plain.rgb);
}

TEST_CASE("words that are too long are wrapped, and the sheet grows downwards") {
  Sheet sheet = sample(picture(128, 128), picture(128, 128));
  const Image plain = drawn(sheet);
  sheet.notes = {std::string(300, 'w')};
  const Image noted = drawn(sheet);
  CHECK(noted.width == plain.width);
  CHECK(noted.height > plain.height);
  sheet.rows = {{std::string(300, 'w')}};
  CHECK(drawn(sheet).width < plain.width + 300);
}

TEST_CASE("pictures are shrunk to a side, in their shape") {
  CHECK(at_most(picture(300, 100), 300).rgb == picture(300, 100).rgb);
  const Image small = at_most(picture(300, 100), 150);
  CHECK(small.width == 150);
  CHECK(small.height == 50);
  CHECK(at_most(picture(100, 1), 10).height == 1);
}
