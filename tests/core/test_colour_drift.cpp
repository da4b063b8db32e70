#include <catch2/catch.hpp>
#include <cstdint>

#include "../pattern.hpp"
#include "core/picture/colour_drift.hpp"
#include "core/picture/pixels.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

/// Values from 60 to 187, so that a small drift clips nothing.
Image sample() {
  Image image = rgb_image(test::pattern(16, 12, 3));
  for (std::uint8_t& value : image.rgb) value = static_cast<std::uint8_t>(60 + value / 2);
  return image;
}

/// What a VAE with this drift would give back.
Image drifted(const Image& image, const ColourDrift& drift) {
  Image after = image;
  for (std::size_t i = 0; i < after.rgb.size(); ++i) {
    after.rgb[i] = static_cast<std::uint8_t>(image.rgb[i] * drift[i % 3].gain + drift[i % 3].offset + 0.5);
  }
  return after;
}

constexpr ColourDrift known = {{{0.9, 12}, {1, -7}, {1.1, 0}}};

}  // namespace

TEST_CASE("a drift of each channel is found from two pictures") {
  const ColourDrift found = colour_drift(sample(), drifted(sample(), known));
  for (std::size_t c = 0; c < 3; ++c) {
    CHECK(found[c].gain == Approx(known[c].gain).margin(0.005));
    CHECK(found[c].offset == Approx(known[c].offset).margin(0.7));
  }
  const ColourDrift none = colour_drift(sample(), sample());
  CHECK(none[1].gain == Approx(1));
  CHECK(none[1].offset == Approx(0).margin(1e-9));
}

TEST_CASE("a compensated picture drifts to where the plain one was") {
  const Image picture = sample();
  const Image back = drifted(compensated(picture, known), known);
  const Image plain = drifted(picture, known);
  int worst = 0;
  int worst_plain = 0;
  for (std::size_t i = 0; i < picture.rgb.size(); ++i) {
    worst = std::max(worst, std::abs(back.rgb[i] - picture.rgb[i]));
    worst_plain = std::max(worst_plain, std::abs(plain.rgb[i] - picture.rgb[i]));
  }
  CHECK(worst <= 1);
  CHECK(worst_plain > 6);
}

TEST_CASE("a channel of one value has no gain to find, and no gain is wild") {
  const Image flat{2, 1, {10, 20, 30, 10, 20, 30}};
  const Image after{2, 1, {13, 20, 30, 13, 20, 30}};
  CHECK(colour_drift(flat, after)[0].gain == 1);
  CHECK(colour_drift(flat, after)[0].offset == Approx(3));
  const Image inverted{2, 1, {0, 0, 0, 255, 255, 255}};
  const Image upright{2, 1, {255, 0, 0, 0, 255, 255}};
  CHECK(colour_drift(inverted, upright)[0].gain == 0.5);
}

TEST_CASE("mean shift and clipped share count what moved") {
  const Image before{2, 1, {10, 0, 30, 20, 200, 30}};
  const Image after{2, 1, {12, 0, 30, 24, 255, 20}};
  const auto shift = mean_shift(before, after);
  CHECK(shift[0] == Approx(3));
  CHECK(shift[1] == Approx(27.5));
  CHECK(shift[2] == Approx(-5));
  CHECK(clipped_share(before, after) == Approx(1.0 / 6));
  CHECK(clipped_share(before, before) == 0);
}
