#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <string>

#include "../pattern.hpp"
#include "core/picture/pixels.hpp"
#include "core/picture/similarity.hpp"
#include "golden.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

Image smooth(int width, int height) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) image.rgb.push_back(static_cast<std::uint8_t>((x * 2 + y + c * 40) / 2 % 256));
    }
  }
  return image;
}

/// The other picture of a pair, as scripts/golden/similarity.py makes it.
Image changed(const Image& image, const std::string& how) {
  Image other = image;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        const auto place = [&](int column) { return static_cast<std::size_t>((y * image.width + column) * 3 + c); };
        const int value = image.rgb[place(x)];
        int result = value;
        if (how == "brighter") result = std::min(value + 9, 255);
        if (how == "mirrored") result = image.rgb[place(image.width - 1 - x)];
        if (how == "inverted") result = 255 - value;
        if (how == "shaken") result = value ^ ((x * 5 + y * 3 + c) % 13);
        other.rgb[place(x)] = static_cast<std::uint8_t>(result);
      }
    }
  }
  return other;
}

}  // namespace

TEST_CASE("PSNR and SSIM are scikit-image's") {
  const nlohmann::json cases = test::golden_cases("similarity");
  REQUIRE(cases.size() >= 50);
  for (const nlohmann::json& golden : cases) {
    INFO(golden.dump());
    const auto size = golden.at("size").get<std::array<int, 2>>();
    const Image first =
        golden.at("kind") == "pattern" ? rgb_image(test::pattern(size[0], size[1], 3)) : smooth(size[0], size[1]);
    const Image second = changed(first, golden.at("how"));
    CHECK(ssim(first, second) == Approx(golden.at("ssim").get<double>()).epsilon(0).margin(1e-9));
    if (golden.at("psnr").is_null()) {
      CHECK(std::isinf(psnr(first, second)));
      continue;
    }
    CHECK(psnr(first, second) == Approx(golden.at("psnr").get<double>()).epsilon(1e-12));
    Image third = second;  // one sample of another value must be seen
    third.rgb[third.rgb.size() / 2] ^= 0x40;
    CHECK(psnr(first, third) != Approx(golden.at("psnr").get<double>()).epsilon(1e-12));
    CHECK(ssim(first, third) != Approx(golden.at("ssim").get<double>()).epsilon(0).margin(1e-9));
  }
}

TEST_CASE("PSNR by hand") {
  const Image black{2, 1, {0, 0, 0, 0, 0, 0}};
  CHECK(psnr(black, {2, 1, {255, 255, 255, 255, 255, 255}}) == 0);
  CHECK(psnr(black, {2, 1, {3, 3, 3, 0, 0, 0}}) == Approx(10 * std::log10(65025 / 4.5)));
}

TEST_CASE("a ratio is said in few digits") {
  CHECK(psnr_text(31.249) == "31.2 dB");
  CHECK(psnr_text(std::numeric_limits<double>::infinity()) == "equal");
}
