#include <ATen/core/Tensor.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "core/family/spaces.hpp"
#include "core/latent/units.hpp"
#include "engine/latents.hpp"
#include "engine/vae.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using lapis::engine::to_image;

namespace {

/// A picture [1, 3, 1, n] whose three colours all have these values.
at::Tensor row(const std::vector<float>& values) {
  return at::tensor(values).view({1, 1, 1, static_cast<std::int64_t>(values.size())}).expand({1, 3, 1, -1});
}

}  // namespace

TEST_CASE("-1 to 1 becomes 0 to 255, clamped, rounded half to even") {
  // 0 falls on 127.5, the only tie there is; to even is 128.
  const Image image = to_image(row({-1.0F, 1.0F, 0.0F, 0.001F - 1, -3.0F, 3.0F}));
  REQUIRE(image.width == 6);
  REQUIRE(image.height == 1);
  const std::vector<int> expected{0, 255, 128, 0, 0, 255};
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(int{image.rgb[3 * i]} == expected[i]);
}

TEST_CASE("channels become bytes of a pixel") {
  const Image image = to_image(at::tensor({1.0F, -1.0F, -1.0F, -1.0F, -1.0F, 1.0F}).view({1, 3, 1, 2}));
  CHECK(image.rgb == std::vector<std::uint8_t>{255, 0, 0, 0, 0, 255});
}

TEST_CASE("a picture that is not finite, or flat, is refused") {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    CHECK_THROWS_AS(to_image(row({0.0F, bad})), Error);
  }
  CHECK_THROWS_AS(to_image(at::full({1, 3, 4, 4}, 0.25F)), Error);
  CHECK_NOTHROW(to_image(row({0.0F, 0.5F})));
}

TEST_CASE("units change over tensors as they do over plain numbers, for every space") {
  for (const core::SpaceRow& row : core::spaces()) {
    INFO(row.space.id);
    const std::array<std::int64_t, 4> shape{2, row.space.channels, 3, 2};
    std::vector<float> values;
    for (int i = 0; i < 2 * row.space.channels * 6; ++i) values.push_back(3 * std::sin(0.7F * static_cast<float>(i)));
    const at::Tensor tensor = at::tensor(values).view({shape[0], shape[1], shape[2], shape[3]});
    std::vector<float> model = values;
    core::to_model_units(model, shape, row.space);
    CHECK(engine::values_of(engine::to_model_units(tensor, row.space)) == model);
    std::vector<float> raw = values;
    core::to_vae_units(raw, shape, row.space);
    CHECK(engine::values_of(engine::to_vae_units(tensor, row.space)) == raw);
    CHECK((raw != model) == (row.space.scale != 1 || row.space.shift != 0 || !row.space.mean.empty()));
  }
}
