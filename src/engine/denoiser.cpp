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

Denoiser::Denoiser(LoadedPart& network, Prediction prediction, const Schedule& schedule,
                   std::vector<at::Tensor> conditioning, double guidance)
    : network_(network),
      prediction_(prediction),
      schedule_(schedule),
      conditioning_(std::move(conditioning)),
      guidance_(guidance) {}

double Denoiser::time_of(double sigma) const {
  const auto found = std::find(schedule_.sigmas.begin(), schedule_.sigmas.end(), sigma);
  const auto index = static_cast<std::size_t>(found - schedule_.sigmas.begin());
  assert(index < schedule_.timesteps.size());
  return schedule_.timesteps[index];
}

at::Tensor Denoiser::operator()(const at::Tensor& x, double sigma) const {
  const Placement placement = network_.placement();
  const bool guided = guidance_ > 1;
  at::Tensor input = (x / std::sqrt(sigma * sigma + 1)).to(placement.dtype);
  if (guided) input = at::cat({input, input});
  std::vector<at::Tensor> inputs{input, at::full({input.size(0)}, time_of(sigma), x.options())};
  inputs.insert(inputs.end(), conditioning_.begin(), conditioning_.end());
  at::Tensor output = network_.run(inputs).front().to(at::kFloat);
  if (guided) {
    const std::int64_t half = x.size(0);
    const at::Tensor negative = output.narrow(0, 0, half);
    output = negative + guidance_ * (output.narrow(0, half, half) - negative);
  }
  switch (prediction_) {
    case Prediction::epsilon: return x - sigma * output;
    case Prediction::flow: throw Error(ErrorKind::internal, "a flow model on the variance-exploding path");
    case Prediction::v: return x / (sigma * sigma + 1) - output * (sigma / std::sqrt(sigma * sigma + 1));
  }
  return x;
}

}  // namespace lapis::engine
