#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <catch2/catch.hpp>
#include <cmath>

#include "engine/denoiser.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::engine;

namespace {

const Schedule schedule{{2.0, 1.0, 0.0}, {700.0, 300.0}, 2.0};
constexpr double sigma = 2.0;
constexpr float x_value = 3.0F;

at::Tensor constant(double value, std::int64_t batch = 1) { return at::full({batch, 4, 2, 2}, value, at::kFloat); }

double denoised(Prediction prediction, const at::Tensor& context, double guidance) {
  LoadedPart network(echo_part(), "echo", {});
  const Denoiser denoise(network, prediction, schedule, {context}, guidance);
  const at::Tensor x0 = denoise(constant(x_value), sigma);
  CHECK(x0.sizes() == at::IntArrayRef({1, 4, 2, 2}));
  return x0[0][0][0][0].item<double>();
}

/// What the echo network says: scaled sample + timestep + mean of the context.
double echoed(double context) { return x_value / std::sqrt(sigma * sigma + 1) + 700.0 + context; }

}  // namespace

TEST_CASE("a predicted noise is taken off the latent") {
  CHECK(denoised(Prediction::epsilon, constant(5), 1) == Approx(x_value - sigma * echoed(5)));
}

TEST_CASE("a predicted v is turned into x0") {
  // Salimans and Ho 2022, "Progressive Distillation for Fast Sampling of Diffusion Models", appendix D: x0 = alpha z -
  // sigma_vp v, where z = x / sqrt(sigma^2 + 1), alpha = 1 / sqrt(sigma^2 + 1), sigma_vp = sigma / sqrt(sigma^2 + 1).
  const double norm = std::sqrt(sigma * sigma + 1);
  CHECK(denoised(Prediction::v, constant(5), 1) == Approx(x_value / (norm * norm) - sigma / norm * echoed(5)));
}

TEST_CASE("guidance runs both halves in one call, the negative first") {
  const at::Tensor both = at::cat({constant(1), constant(5)});
  LoadedPart network(echo_part(), "echo", {});
  const at::Tensor each = network.run({constant(0, 2), at::full({2}, 0.0F), both}).front();
  CHECK(each[0][0][0][0].item<double>() == Approx(1));  // the echo tells the rows of a batch apart
  CHECK(each[1][0][0][0].item<double>() == Approx(5));
  const double guided = echoed(1) + 7.5 * (echoed(5) - echoed(1));
  CHECK(denoised(Prediction::epsilon, both, 7.5) == Approx(x_value - sigma * guided));
  CHECK(denoised(Prediction::epsilon, at::cat({constant(5), constant(1)}), 7.5) != Approx(x_value - sigma * guided));
}
