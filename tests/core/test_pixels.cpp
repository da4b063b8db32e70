#include <catch2/catch.hpp>

#include "../pattern.hpp"
#include "core/picture/pixels.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

/// Grey pictures are written as they look: rows of samples.
Pixels grey_of(int width, int height, std::vector<std::uint8_t> bytes) { return {width, height, 1, std::move(bytes)}; }

}  // namespace

TEST_CASE("a picture is turned upright by its Exif orientation") {
  // What Exif 2.3 calls row 0 and column 0, for a picture stored as 1 2 3 / 4 5 6. Equal to Pillow's exif_transpose.
  const Pixels stored = grey_of(3, 2, {1, 2, 3, 4, 5, 6});
  CHECK(upright(stored, 1) == stored);
  CHECK(upright(stored, 2) == grey_of(3, 2, {3, 2, 1, 6, 5, 4}));
  CHECK(upright(stored, 3) == grey_of(3, 2, {6, 5, 4, 3, 2, 1}));
  CHECK(upright(stored, 4) == grey_of(3, 2, {4, 5, 6, 1, 2, 3}));
  CHECK(upright(stored, 5) == grey_of(2, 3, {1, 4, 2, 5, 3, 6}));
  CHECK(upright(stored, 6) == grey_of(2, 3, {4, 1, 5, 2, 6, 3}));
  CHECK(upright(stored, 7) == grey_of(2, 3, {6, 3, 5, 2, 4, 1}));
  CHECK(upright(stored, 8) == grey_of(2, 3, {3, 6, 2, 5, 1, 4}));
  CHECK(upright(stored, 9) == stored);
}

TEST_CASE("pixels of several channels keep together when they are turned") {
  const Pixels stored{2, 1, 3, {1, 2, 3, 4, 5, 6}};
  CHECK(upright(stored, 3) == Pixels{2, 1, 3, {4, 5, 6, 1, 2, 3}});
}

TEST_CASE("alpha is laid over a background, rounded as Pillow's paste does") {
  // Image.new("RGB", (3, 1), "white").paste(picture, mask=alpha), Pillow 13
  const Pixels stored{3, 1, 4, {10, 20, 30, 255, 10, 20, 30, 0, 10, 20, 30, 100}};
  CHECK(flattened(stored, 255) == Pixels{3, 1, 3, {10, 20, 30, 255, 255, 255, 159, 163, 167}});
  CHECK(flattened(Pixels{1, 1, 2, {200, 51}}, 0) == grey_of(1, 1, {40}));
  const Pixels plain = test::pattern(4, 3, 3);
  CHECK(flattened(plain, 255) == plain);
}

TEST_CASE("holes are alpha below 255") {
  CHECK_FALSE(has_holes({1, 1, 3, {0, 0, 0}}));
  CHECK_FALSE(has_holes({1, 1, 4, {0, 0, 0, 255}}));
  CHECK(has_holes({1, 1, 4, {255, 255, 255, 254}}));
  CHECK(has_holes({2, 1, 2, {0, 255, 0, 0}}));
}

TEST_CASE("grey is Pillow's luma") {
  // Image.convert("L") of these colours, Pillow 13
  CHECK(grey({5, 1, 3, {255, 0, 0, 0, 255, 0, 0, 0, 255, 12, 200, 77, 255, 255, 255}}).bytes ==
        std::vector<std::uint8_t>{76, 150, 29, 130, 255});
  CHECK(grey(grey_of(1, 1, {9})) == grey_of(1, 1, {9}));
}

TEST_CASE("grey becomes RGB of three equal samples") {
  CHECK(rgb_image(grey_of(2, 1, {7, 9})).rgb == std::vector<std::uint8_t>{7, 7, 7, 9, 9, 9});
}

TEST_CASE("masks are hard or soft, and can be made hard") {
  CHECK(is_hard({2, 1, {0, 255}}));
  CHECK_FALSE(is_hard({2, 1, {0, 254}}));
  CHECK(hardened({4, 1, {0, 127, 128, 255}}).values == std::vector<std::uint8_t>{0, 0, 255, 255});
}

TEST_CASE("a mask is read at the first pixel of each cell") {
  Mask mask{16, 8, std::vector<std::uint8_t>(128)};
  mask.values[1] = 255;
  CHECK(touches_no_cell(mask, 8));
  mask.values[8] = 1;
  CHECK_FALSE(touches_no_cell(mask, 8));
}

TEST_CASE("what the mask leaves out stays to the bit") {
  const Image original{3, 1, {1, 2, 3, 4, 5, 6, 100, 100, 100}};
  const Image drawn{3, 1, {11, 12, 13, 14, 15, 16, 200, 200, 200}};
  CHECK(pasted(original, drawn, {3, 1, {0, 255, 51}}).rgb ==
        std::vector<std::uint8_t>{1, 2, 3, 14, 15, 16, 120, 120, 120});
}
