#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <string>

#include "../picture_pairs.hpp"
#include "core/picture/similarity.hpp"
#include "golden.hpp"

using namespace lapis;
using namespace lapis::core;

TEST_CASE("PSNR and SSIM are scikit-image's") {
  const nlohmann::json cases = test::golden_cases("similarity");
  REQUIRE(cases.size() >= 50);
  for (const nlohmann::json& golden : cases) {
    INFO(golden.dump());
    const auto size = golden.at("size").get<std::array<int, 2>>();
    const Image first = test::first_picture(golden.at("kind"), size[0], size[1]);
    const Image second = test::changed(first, golden.at("how"));
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
