#include "engine/denoiser.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "lapis/error.hpp"

namespace lapis::engine {

at::Tensor packed(const at::Tensor& x) {
  const std::int64_t rows = x.size(2) / 2;
  const std::int64_t columns = x.size(3) / 2;
  return x.view({x.size(0), x.size(1), rows, 2, columns, 2})
      .permute({0, 2, 4, 1, 3, 5})
      .reshape({x.size(0), rows * columns, 4 * x.size(1)});
}

at::Tensor unpacked(const at::Tensor& tokens, std::int64_t height, std::int64_t width) {
  const std::int64_t channels = tokens.size(2) / 4;
  return tokens.view({tokens.size(0), height / 2, width / 2, channels, 2, 2})
      .permute({0, 3, 1, 4, 2, 5})
      .reshape({tokens.size(0), channels, height, width});
}

Denoiser::Denoiser(LoadedPart& network, Prediction prediction, int patch, const Schedule& schedule,
                   std::vector<at::Tensor> conditioning, double guidance)
    : network_(network),
      prediction_(prediction),
      patch_(patch),
      schedule_(schedule),
      conditioning_(std::move(conditioning)),
      guidance_(guidance) {}

double Denoiser::time_of(double sigma) const {
  const auto found = std::find(schedule_.sigmas.begin(), schedule_.sigmas.end(), sigma);
  const auto index = static_cast<std::size_t>(found - schedule_.sigmas.begin());
  assert(index < schedule_.timesteps.size());
  return schedule_.timesteps[index];
}

/// What the network says of `input` [1, C, h, w], guided, in fp32.
at::Tensor Denoiser::output_of(const at::Tensor& input, double time) const {
  const bool guided = guidance_ > 1;
  at::Tensor sample = (patch_ == 1 ? input : packed(input)).to(network_.placement().dtype);
  if (guided) sample = at::cat({sample, sample});
  const at::Tensor times = at::full({sample.size(0)}, time, input.options());
  std::vector<at::Tensor> inputs{sample, times};
  inputs.insert(inputs.end(), conditioning_.begin(), conditioning_.end());
  at::Tensor output = network_.run(inputs).front().to(at::kFloat);
  if (guided) {
    const std::int64_t half = input.size(0);
    const at::Tensor negative = output.narrow(0, 0, half);
    output = negative + guidance_ * (output.narrow(0, half, half) - negative);
  }
  return patch_ == 1 ? output : unpacked(output, input.size(2), input.size(3));
}

at::Tensor Denoiser::operator()(const at::Tensor& x, double sigma) const {
  const double norm = std::sqrt(sigma * sigma + 1);
  switch (prediction_) {
    case Prediction::epsilon: return x - sigma * output_of(x / norm, time_of(sigma));
    case Prediction::v: return x / (norm * norm) - output_of(x / norm, time_of(sigma)) * (sigma / norm);
    case Prediction::flow: return x - sigma * output_of(x, sigma);
  }
  throw Error(ErrorKind::internal, "unknown prediction");
}

}  // namespace lapis::engine
