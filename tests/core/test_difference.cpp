#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <vector>

#include "../picture_pairs.hpp"
#include "core/picture/difference.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

ComparedPicture picture(int width = 16, int height = 12) { return {test::first_picture("pattern", width, height), {}}; }

ComparedPicture with(ComparedPicture picture, int x, int y, int channel, int change) {
  auto& value = picture.image.rgb[3 * test::pixel_at(picture.image, x, y) + static_cast<std::size_t>(channel)];
  value = static_cast<std::uint8_t>(value + (value < 128 ? change : -change));
  return picture;
}

int count_of(const Image& image, const std::array<std::uint8_t, 3>& colour) {
  int count = 0;
  for (std::size_t i = 0; i < image.rgb.size(); i += 3)
    count += image.rgb[i] == colour[0] && image.rgb[i + 1] == colour[1] && image.rgb[i + 2] == colour[2];
  return count;
}

}  // namespace

TEST_CASE("identical pictures differ in nothing, however small") {
  for (const auto& [width, height] : std::vector<std::pair<int, int>>{{1, 1}, {16, 12}}) {
    const Difference difference = difference_of(picture(width, height), picture(width, height), {});
    CHECK(difference.identical());
    CHECK(difference.values == static_cast<std::uint64_t>(width * height * 3));
    CHECK(difference.largest == 0);
    CHECK(std::isinf(difference.picture->psnr));
    CHECK(difference.picture->ssim == 1);
    CHECK(difference.picture->flip == 0);
  }
}

TEST_CASE("values above levels are counted, pixels once") {
  const ComparedPicture a = picture();
  const ComparedPicture b = with(with(with(a, 3, 4, 0, 5), 3, 4, 2, 9), 7, 1, 1, 1);
  const Difference difference = difference_of(a, b, {.fail = 1, .warn = 5});
  CHECK(difference.different == 3);
  CHECK(difference.above_fail == 2);
  CHECK(difference.above_warn == 1);
  CHECK(difference.largest == 9);
  CHECK(difference.mean == Approx(15.0 / (16 * 12 * 3)));
  CHECK(difference.worst.x == 3);
  CHECK(difference.worst.y == 4);
  CHECK(difference.worst.channel == 2);
  CHECK(std::abs(difference.worst.a - difference.worst.b) == 9);
  CHECK(difference.picture->pixels == 192);
  CHECK(difference.picture->pixels_above == 1);
  CHECK(std::isfinite(difference.picture->psnr));
  CHECK(difference.picture->ssim < 1);
  CHECK(difference.picture->flip > 0);
}

TEST_CASE("the first of several largest differences is the worst") {
  const ComparedPicture a = picture();
  const Difference difference = difference_of(a, with(with(a, 9, 9, 0, 4), 2, 5, 1, 4), {});
  CHECK(difference.worst.x == 2);
  CHECK(difference.worst.y == 5);
}

TEST_CASE("alpha is a fourth value, and all opaque where a picture has none") {
  const ComparedPicture opaque = picture(2, 2);
  ComparedPicture other = opaque;
  other.alpha = {255, 255, 10, 255};
  const Difference difference = difference_of(opaque, other, {});
  CHECK(difference.values == 16);
  CHECK(difference.different == 1);
  CHECK(difference.worst.channel == 3);
  CHECK(difference.worst.y == 1);
  CHECK(difference.worst.a == 255);
  CHECK(difference.worst.b == 10);
  CHECK(difference.picture->pixels_above == 1);
}

TEST_CASE("pictures with a side below 11 pixels have no SSIM") {
  const ComparedPicture a = picture(10, 40);
  CHECK_FALSE(difference_of(a, with(a, 0, 0, 0, 1), {}).picture->ssim);
  const ComparedPicture b = picture(11, 11);
  CHECK(difference_of(b, with(b, 0, 0, 0, 1), {}).picture->ssim);
}

TEST_CASE("latents have the place in their batch, and a relative difference") {
  std::vector<float> a(48, 0.5F);
  std::vector<float> b = a;
  b[24 + 12 + 6 + 1] = 1.5F;
  const Difference difference = difference_of(a, b, {2, 2, 2, 6}, latent_tolerance());
  CHECK_FALSE(difference.picture);
  CHECK(difference.largest == 1);
  CHECK(difference.different == 1);
  CHECK(difference.worst.picture == 1);
  CHECK(difference.worst.channel == 1);
  CHECK(difference.worst.y == 1);
  CHECK(difference.worst.x == 1);
  CHECK(difference.relative == Approx(std::sqrt(1 / (47 * 0.25 + 2.25))));
  const std::vector<float> zeros(48, 0.0F);
  CHECK(difference_of(zeros, zeros, {2, 2, 2, 6}, {}).relative == 0);
  CHECK(difference_of(zeros, a, {2, 2, 2, 6}, {}).relative == 1);
}

TEST_CASE("the drawn difference has both pictures, and a third with its worst pixel framed") {
  const ComparedPicture a = picture(200, 20);
  const Image alike = drawn_difference(a, a, "a.png", "b.png");
  const Image other = drawn_difference(a, with(a, 30, 9, 1, 40), "a.png", "b.png");
  CHECK(alike.width == other.width);
  CHECK(alike.width == 3 * 256 + 4 * 12);
  CHECK(alike.rgb.size() == static_cast<std::size_t>(alike.width) * static_cast<std::size_t>(alike.height) * 3);
  constexpr std::array<std::uint8_t, 3> frame = {60, 220, 120};
  CHECK(count_of(alike, frame) == 0);
  CHECK(count_of(other, frame) > 20);
  constexpr std::array<std::uint8_t, 3> hottest = {255, 243, 191};
  CHECK(count_of(alike, hottest) == 0);
}

TEST_CASE("of two latents each channel is drawn, four in a row, and the worst value framed") {
  const std::vector<float> a(24, 0.0F);
  std::vector<float> b = a;
  const std::array<std::int64_t, 4> shape = {1, 6, 2, 2};
  constexpr std::array<std::uint8_t, 3> frame = {60, 220, 120};
  constexpr std::array<std::uint8_t, 3> hottest = {255, 252, 220};
  const Image alike = drawn_difference(a, b, shape, difference_of(a, b, shape, {}));
  CHECK(alike.width == 4 * 256 + 5 * 12);
  CHECK(count_of(alike, frame) == 0);
  b[17] = 0.5F;
  b[20] = 0.25F;
  const Image other = drawn_difference(a, b, shape, difference_of(a, b, shape, {}));
  CHECK(other.height == alike.height);
  CHECK(count_of(other, frame) > 20);
  CHECK(count_of(other, hottest) > 100 * 100);
  CHECK(count_of(other, hottest) <= 128 * 128);
}

TEST_CASE("a picture of one pixel is enlarged, and of two sizes there are two panels") {
  const Image drawn = drawn_difference(picture(1, 1), with(picture(1, 1), 0, 0, 0, 3), "a", "b");
  CHECK(drawn.width == 3 * 256 + 4 * 12);
  CHECK(drawn_difference(picture(1, 1), picture(2, 1), "a", "b").width == 2 * 256 + 3 * 12);
}

TEST_CASE("an amplified difference is that of each value, times a factor, cut at 255") {
  const Image a{1, 1, {10, 20, 30}};
  const Image b{1, 1, {11, 20, 50}};
  CHECK(amplified_difference(a, b, 16).rgb == std::vector<std::uint8_t>{16, 0, 255});
  CHECK(amplified_difference(b, a, 16).rgb == std::vector<std::uint8_t>{16, 0, 255});
}
