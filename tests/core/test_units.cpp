#include <array>
#include <catch2/catch.hpp>
#include <cstdint>
#include <vector>

#include "core/family/spaces.hpp"
#include "core/latent/units.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

constexpr std::array<std::int64_t, 4> two_by_two{1, 4, 2, 2};

std::vector<float> counted(std::size_t size) {
  std::vector<float> values(size);
  for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<float>(i) / 8 - 1;
  return values;
}

}  // namespace

TEST_CASE("a scale and a shift are undone by going back") {
  for (const SpaceRow& row : spaces()) {
    INFO(row.space.id);
    const std::array<std::int64_t, 4> shape{2, row.space.channels, 3, 2};
    const std::vector<float> before = counted(static_cast<std::size_t>(2 * row.space.channels * 6));
    std::vector<float> values = before;
    to_vae_units(values, shape, row.space);
    CHECK(values != before);
    to_model_units(values, shape, row.space);
    for (std::size_t i = 0; i < values.size(); ++i) CHECK(values[i] == Approx(before[i]).margin(1e-5));
  }
}

TEST_CASE("model values are what the papers' configs say") {
  std::vector<float> values(16, 1.0F);
  to_model_units(values, two_by_two, find_space("sd15")->space);
  CHECK(values[0] == 0.18215F);
  values.assign(16, 1.0F);
  to_model_units(values, two_by_two, find_space("playground25")->space);
  CHECK(values[0] == Approx((1 + 1.6574) * 0.5 / 8.4927));
  CHECK(values[15] == Approx((1 - 2.5155) * 0.5 / 5.2299));
  values.assign(64, 1.0F);
  to_model_units(values, {1, 16, 2, 2}, find_space("flux")->space);
  CHECK(values[63] == Approx((1 - 0.1159) * 0.3611));
}

TEST_CASE("tokens are the patches of diffusers, channel by channel") {
  // latents.view(1, 2, 1, 2, 2, 2).permute(0, 2, 4, 1, 3, 5).reshape(1, 2, 8) of arange(16).view(1, 2, 2, 4)
  std::vector<float> values(16);
  for (std::size_t i = 0; i < 16; ++i) values[i] = static_cast<float>(i);
  const std::array<std::int64_t, 4> shape{1, 2, 2, 4};
  const std::vector<float> tokens = packed(values, shape, 2);
  CHECK(tokens == std::vector<float>{0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15});
  CHECK(unpacked(tokens, shape, 2) == values);
  CHECK(packed(values, shape, 1) != tokens);
}

TEST_CASE("model values of one space become those of another over the same VAE") {
  const Space& sdxl = find_space("sdxl")->space;
  const Space& playground = find_space("playground25")->space;
  const std::vector<float> before = counted(16);
  std::vector<float> values = before;
  rescale(values, two_by_two, sdxl, playground);
  CHECK(values[0] == Approx((before[0] / 0.13025 + 1.6574) * 0.5 / 8.4927));
  rescale(values, two_by_two, playground, sdxl);
  for (std::size_t i = 0; i < values.size(); ++i) CHECK(values[i] == Approx(before[i]).margin(1e-5));
  rescale(values = before, two_by_two, find_space("sd15")->space, find_space("sd2")->space);
  CHECK(values == before);
}
