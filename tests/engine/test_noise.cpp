#include <ATen/core/Tensor.h>
#include <array>
#include <catch2/catch.hpp>
#include <cstdint>

#include "engine/noise.hpp"

using lapis::engine::Noise;

namespace {

at::Tensor draw_noise(std::uint64_t seed) { return Noise(seed).draw({1, 4, 8, 8}); }

}  // namespace

TEST_CASE("noise is torch.randn of the picture's own generator") {
  // torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(42)).flatten()[:6], torch 2.11.0
  const std::array<float, 6> expected{1.9269F, 1.4873F, 0.9007F, -2.1055F, 0.6784F, -1.2345F};
  const at::Tensor noise = draw_noise(42);
  REQUIRE(noise.sizes() == at::IntArrayRef({1, 4, 8, 8}));
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(noise.data_ptr<float>()[i] == Approx(expected[i]).margin(5e-5));
}

TEST_CASE("the largest seed is torch's too") {
  // torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(2**64 - 1)).flatten()[:6], torch 2.11.0
  const std::array<float, 6> expected{-2.6643F, -1.0910F, 0.4514F, 0.2284F, 1.8986F, 1.5642F};
  const at::Tensor noise = draw_noise(~std::uint64_t{0});
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(noise.data_ptr<float>()[i] == Approx(expected[i]).margin(5e-5));
}

TEST_CASE("the same seed draws the same noise, another seed other noise") {
  CHECK(draw_noise(1).equal(draw_noise(1)));
  CHECK_FALSE(draw_noise(1).equal(draw_noise(2)));
}

TEST_CASE("later draws go on with the same generator") {
  Noise noise(7);
  const at::Tensor first = noise.draw({1, 4, 8, 8});
  const at::Tensor second = noise.draw({1, 4, 8, 8});
  CHECK(first.equal(draw_noise(7)));
  CHECK_FALSE(first.equal(second));
  CHECK(second.equal(Noise(7).draw({1, 8, 8, 8}).narrow(1, 4, 4)));
}
