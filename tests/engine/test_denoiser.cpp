#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/full.h>
#include <catch2/catch.hpp>
#include <cmath>

#include "core/sampling/sigma_time_map.hpp"
#include "engine/denoiser.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::engine;

namespace {

const Schedule schedule{{2.0, 1.0, 0.0}, {700.0, 300.0}, 2.0};
const core::SigmaTimeMap times({});
constexpr double sigma = 2.0;
constexpr float x_value = 3.0F;

at::Tensor constant(double value, std::int64_t batch = 1) { return at::full({batch, 4, 2, 2}, value, at::kFloat); }

double denoised(Prediction prediction, const at::Tensor& context, const Guidance& guidance, double at_sigma = sigma) {
  LoadedPart network(echo_part(), "echo", {});
  const Denoiser denoise(network, prediction, 1, schedule, times, {context}, guidance);
  const at::Tensor x0 = denoise(constant(x_value), at_sigma);
  CHECK(x0.sizes() == at::IntArrayRef({1, 4, 2, 2}));
  return x0[0][0][0][0].item<double>();
}

/// What the echo network says: scaled sample + timestep + mean of the context.
double echoed(double context) { return x_value / std::sqrt(sigma * sigma + 1) + 700.0 + context; }

}  // namespace

TEST_CASE("a predicted noise is taken off the latent") {
  CHECK(denoised(Prediction::epsilon, constant(5), {}) == Approx(x_value - sigma * echoed(5)));
}

TEST_CASE("a predicted v is turned into x0") {
  // Salimans and Ho 2022, "Progressive Distillation for Fast Sampling of Diffusion Models", appendix D: x0 = alpha z -
  // sigma_vp v, where z = x / sqrt(sigma^2 + 1), alpha = 1 / sqrt(sigma^2 + 1), sigma_vp = sigma / sqrt(sigma^2 + 1).
  const double norm = std::sqrt(sigma * sigma + 1);
  CHECK(denoised(Prediction::v, constant(5), {}) == Approx(x_value / (norm * norm) - sigma / norm * echoed(5)));
}

TEST_CASE("a predicted velocity is taken off the latent, which the network reads as it is, at the time sigma") {
  CHECK(denoised(Prediction::flow, constant(5), {}) == Approx(x_value - sigma * (x_value + sigma + 5)));
}

TEST_CASE("packing puts 2 x 2 cells into a token, channel by channel, and unpacking undoes it") {
  const at::Tensor x = at::arange(2 * 4 * 6, at::kFloat).view({1, 2, 4, 6});
  const at::Tensor tokens = packed(x);
  REQUIRE(tokens.sizes() == at::IntArrayRef({1, 2 * 3, 8}));
  for (std::int64_t row = 0; row < 4; ++row) {
    for (std::int64_t column = 0; column < 6; ++column) {
      for (std::int64_t channel = 0; channel < 2; ++channel) {
        const at::Tensor token = tokens[0][row / 2 * 3 + column / 2];
        const std::int64_t place = channel * 4 + row % 2 * 2 + column % 2;
        CHECK(token[place].item<float>() == x[0][channel][row][column].item<float>());
      }
    }
  }
  CHECK(unpacked(tokens, 4, 6).equal(x));
  CHECK_FALSE(unpacked(tokens, 6, 4).view({1, 2, 4, 6}).equal(x));
}

TEST_CASE("a network with patches reads tokens, and latents stay latents outside") {
  // The formula of tests/data/make_mini_models.py: a tenth of the sample and a hundredth of what it is told.
  Part part = echo_part();
  part.graph = data("mini_flux/graphs/denoiser.pt");
  part.inputs.insert(part.inputs.end(), 4, {"told", "model", {}});
  LoadedPart network(part, "denoiser", {});
  const at::Tensor x = at::arange(16 * 4 * 6, at::kFloat).view({1, 16, 4, 6});
  const at::Tensor table = at::full({8, 16}, 300.0F);
  const std::vector<at::Tensor> hints = {at::full({1, 2, 6}, 100.0F), at::full({1, 4}, 200.0F), table, table,
                                         at::full({1}, 400.0F)};
  const Denoiser denoise(network, Prediction::flow, 2, schedule, times, hints, {});
  const double total = 0.5 / 1000 + (100 + 200 + 300 + 300 + 400) / 100.0;
  const at::Tensor expected = x - 0.5 * (0.1 * x + 0.01 * total);
  CHECK(at::allclose(denoise(x, 0.5), expected));
  CHECK_FALSE(at::allclose(denoise(x, 0.6), expected));
}

TEST_CASE("a network may take its time as one number for the whole batch") {
  Part part = echo_part();
  part.graph = data("trial_scalar.pt");
  part.inputs[1].shape.clear();
  LoadedPart scalar(part, "scalar", {});
  LoadedPart each(echo_part(), "echo", {});
  const at::Tensor both = at::cat({constant(1), constant(5)});
  const at::Tensor x = constant(2);
  const Guidance guidance{7.5};
  const at::Tensor expected = Denoiser(each, Prediction::epsilon, 1, schedule, times, {both}, guidance)(x, sigma);
  CHECK(Denoiser(scalar, Prediction::epsilon, 1, schedule, times, {both}, guidance)(x, sigma).equal(expected));
}

TEST_CASE("guidance runs both halves in one call, the negative first") {
  const at::Tensor both = at::cat({constant(1), constant(5)});
  LoadedPart network(echo_part(), "echo", {});
  const at::Tensor each = network.run({constant(0, 2), at::full({2}, 0.0F), both}).front();
  CHECK(each[0][0][0][0].item<double>() == Approx(1));  // the echo tells the rows of a batch apart
  CHECK(each[1][0][0][0].item<double>() == Approx(5));
  const double guided = echoed(1) + 7.5 * (echoed(5) - echoed(1));
  CHECK(denoised(Prediction::epsilon, both, {7.5}) == Approx(x_value - sigma * guided));
  CHECK(denoised(Prediction::epsilon, at::cat({constant(5), constant(1)}), {7.5}) != Approx(x_value - sigma * guided));
}

TEST_CASE("a sigma between the schedule's is known by the training's time") {
  const double between = 1.5;
  const double norm = std::sqrt(between * between + 1);
  const double said = x_value / norm + times.time_of(between) + 5;
  CHECK(denoised(Prediction::epsilon, constant(5), {}, between) == Approx(x_value - between * said));
}

TEST_CASE("outside of its interval guidance rests, and the positive half runs alone") {
  const at::Tensor both = at::cat({constant(1), constant(5)});
  const double guided = echoed(1) + 7.5 * (echoed(5) - echoed(1));
  CHECK(denoised(Prediction::epsilon, both, {7.5, 0, 0, 2.0}) == Approx(x_value - sigma * guided));
  CHECK(denoised(Prediction::epsilon, both, {7.5, 0, 2.0, 9.0}) == Approx(x_value - sigma * echoed(5)));
  CHECK(denoised(Prediction::epsilon, both, {7.5, 0, 0, 1.9}) == Approx(x_value - sigma * echoed(5)));
}

TEST_CASE("an interval counts steps as diffusers' guiders do") {
  Schedule ten;
  for (int i = 0; i < 10; ++i) ten.sigmas.push_back(10 - i);
  ten.timesteps = ten.sigmas;
  ten.sigmas.push_back(0);
  ResolvedJob job;
  job.guidance = 3;
  job.guidance_interval = {0.25, 0.6};
  const Guidance guidance = guidance_of(job, ten);
  for (int i = 0; i < 10; ++i) CHECK(guidance.guides(10 - i) == (i >= 2 && i < 6));
  CHECK(guidance.guides(4.5));  // between steps 5 and 6
  job.guidance_interval = {};
  for (int i = 0; i < 10; ++i) CHECK(guidance_of(job, ten).guides(10 - i));
  job.guidance = 1;
  CHECK_FALSE(guidance_of(job, ten).guides(5));
}

TEST_CASE("guidance is rescaled as diffusers' rescale_noise_cfg does") {
  const at::Tensor count = at::arange(16, at::kFloat).view({1, 4, 2, 2});
  const at::Tensor mixed = rescaled(count * 0.5 - 1, count.cos(), 0.7).flatten();
  // rescale_noise_cfg((arange(16) * 0.5 - 1), cos(arange(16)), 0.7)[[0, 5, 15]], diffusers 0.42.1
  CHECK(mixed[0].item<double>() == Approx(-0.5160612).epsilon(1e-5));
  CHECK(mixed[5].item<double>() == Approx(0.7740918).epsilon(1e-5));
  CHECK(mixed[15].item<double>() == Approx(3.3543983).epsilon(1e-5));
}
