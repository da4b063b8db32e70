#include <catch2/catch.hpp>
#include <cmath>
#include <vector>

#include "core/latent/preview.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

LineageRow two_channels() {
  LineageRow lineage;
  lineage.rgb = {{1, 0, 0.5}, {0, 0.25, 0}};
  lineage.rgb_bias = {0, 0, -0.5};
  return lineage;
}

}  // namespace

TEST_CASE("a cell's colour is the sum of its channels' colours and the bias") {
  const std::vector<float> values = {0, 0.5F, 0, -4};  // [1, 2, 1, 2]
  const Image image = preview(values, {1, 2, 1, 2}, 0, two_channels());
  CHECK(image.width == 2);
  CHECK(image.height == 1);
  CHECK(image.rgb == std::vector<std::uint8_t>{128, 128, 64, 191, 0, 96});
}

TEST_CASE("colours are cut off at black and white, and what is no number is black") {
  const std::vector<float> values = {9, -9, NAN, INFINITY, 0, 0, 0, 0};
  const Image image = preview(values, {1, 2, 2, 2}, 0, two_channels());
  CHECK(image.rgb == std::vector<std::uint8_t>{255, 128, 255, 0, 128, 0, 0, 0, 0, 255, 0, 255});
}

TEST_CASE("every picture of a batch is shown by itself") {
  const std::vector<float> values = {0, 0, 1, 4};  // [2, 2, 1, 1]
  CHECK(preview(values, {2, 2, 1, 1}, 0, two_channels()).rgb == std::vector<std::uint8_t>{128, 128, 64});
  CHECK(preview(values, {2, 2, 1, 1}, 1, two_channels()).rgb == std::vector<std::uint8_t>{255, 255, 128});
}

TEST_CASE("colours belong to a lineage and the numbers of its own space") {
  const auto name = [](const char* space) {
    const LineageRow* lineage = find_colours(parse_space(space));
    return lineage == nullptr ? "" : lineage->name;
  };
  CHECK(name("sd15") == "sd15");
  CHECK(name("sd2") == "sd15");
  CHECK(name("sd15:tiny-sd15") == "tiny-sd15");
  CHECK(name("sd15:nobody") == "");
  CHECK(name("wan21") == "");
  CHECK(name("flux:sd15") == "");  // a name that another shape of latents has
  CHECK(coloured_space(*find_colours(parse_space("playground25"))) == parse_space("sdxl"));
}
