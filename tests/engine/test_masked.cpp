#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <catch2/catch.hpp>
#include <vector>

#include "core/sampling/samplers/sample.hpp"
#include "engine/masked.hpp"

using namespace lapis;
using namespace lapis::engine;

namespace {

constexpr float keep = 0;
constexpr float soft = 0.25F;
constexpr float redraw = 1;

at::Tensor cells(float a, float b, float c) { return at::tensor({a, b, c}).view({1, 1, 1, 3}); }

float at_cell(const at::Tensor& values, std::int64_t cell) { return values.flatten()[cell].item<float>(); }

const at::Tensor original = cells(10, 20, 30);
const at::Tensor cell_noise = cells(1, 2, 3);
const at::Tensor mixed_weights = cells(keep, soft, redraw);

MaskedDenoiser masked(at::Tensor& seen, Path path, bool from_noise = false) {
  return {[&seen](const at::Tensor& x, double) {
            seen = x;
            return at::full_like(x, 100);
          },
          original,
          cell_noise,
          mixed_weights,
          path,
          from_noise};
}

}  // namespace

TEST_CASE("a mask is read at the first pixel of each cell") {
  const Mask mask{4, 2, {255, 0, 51, 0, 0, 0, 0, 0}};
  const at::Tensor found = cell_weights(mask, 2, at::kCPU);
  CHECK(found.sizes() == at::IntArrayRef({1, 1, 1, 2}));
  CHECK(at_cell(found, 0) == 1);
  CHECK(at_cell(found, 1) == Approx(0.2));
}

TEST_CASE("where nothing is drawn the network sees the noised picture, elsewhere the latent") {
  at::Tensor seen;
  masked(seen, Path::variance_exploding)(cells(-1, -2, -3), 5);
  CHECK(seen.equal(cells(10 + 5 * 1, -2, -3)));
  masked(seen, Path::flow)(cells(-1, -2, -3), 0.75);
  CHECK(seen.equal(cells(0.25F * 10 + 0.75F * 1, -2, -3)));
}

TEST_CASE("the two x0 are mixed by the mask") {
  at::Tensor seen;
  CHECK(masked(seen, Path::variance_exploding)(cells(-1, -2, -3), 5).equal(cells(10, 0.25F * 100 + 0.75F * 20, 100)));
}

TEST_CASE("a run from noise alone shows its first latent as it is") {
  at::Tensor seen;
  MaskedDenoiser denoise = masked(seen, Path::variance_exploding, true);
  denoise(cells(-1, -2, -3), 5);
  CHECK(seen.equal(cells(-1, -2, -3)));
  denoise(cells(-1, -2, -3), 5);
  CHECK(seen.equal(cells(15, -2, -3)));
}

TEST_CASE("a run ends in the picture where nothing is drawn") {
  at::Tensor seen;
  const std::vector<double> sigmas{5, 2, 1, 0};
  const at::Tensor end = core::sample(
      core::find_sampler("euler"), masked(seen, Path::variance_exploding), original + 5 * cell_noise,
      core::SamplerContext{sigmas}, [] { return cell_noise; }, [](int, int) {});
  CHECK(at_cell(end, 0) == 10);
  CHECK(at_cell(end, 2) == 100);
}
