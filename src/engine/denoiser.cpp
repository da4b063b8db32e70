#include "engine/denoiser.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/std.h>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "lapis/error.hpp"

namespace lapis::engine {

Guidance guidance_of(const ResolvedJob& job, const Schedule& schedule) {
  const auto steps = static_cast<double>(schedule.timesteps.size());
  const auto sigma_at = [&](double fraction) { return schedule.sigmas[static_cast<std::size_t>(fraction * steps)]; };
  return {job.guidance, job.guidance_rescale, sigma_at(job.guidance_interval.to), sigma_at(job.guidance_interval.from)};
}

at::Tensor rescaled(const at::Tensor& guided, const at::Tensor& positive, double share) {
  std::vector<std::int64_t> all_but_first(static_cast<std::size_t>(guided.dim()) - 1);
  std::iota(all_but_first.begin(), all_but_first.end(), 1);
  const auto spread = [&](const at::Tensor& values) { return at::std(values, all_but_first, true, true); };
  return share * (guided * (spread(positive) / spread(guided))) + (1 - share) * guided;
}

Denoiser::Denoiser(LoadedPart& network, Prediction prediction, const Schedule& schedule, const core::TimeScale& times,
                   std::vector<at::Tensor> conditioning, Guidance guidance)
    : network_(network),
      prediction_(prediction),
      schedule_(schedule),
      times_(times),
      conditioning_(std::move(conditioning)),
      guidance_(guidance) {}

double Denoiser::time_of(double sigma) const {
  const auto found = std::find(schedule_.sigmas.begin(), schedule_.sigmas.end(), sigma);
  const auto index = static_cast<std::size_t>(found - schedule_.sigmas.begin());
  return index < schedule_.timesteps.size() ? schedule_.timesteps[index] : times_.time_of(sigma);
}

/// What the adapter gave; without a guide, the positive half of what has both.
std::vector<at::Tensor> Denoiser::conditioning_at(bool guided, std::int64_t pictures) const {
  if (guided || !(guidance_.scale > 1)) return conditioning_;
  std::vector<at::Tensor> positive;
  for (const at::Tensor& both : conditioning_) {
    positive.push_back(both.size(0) == 2 * pictures ? both.narrow(0, pictures, pictures) : both);
  }
  return positive;
}

at::Tensor Denoiser::operator()(const at::Tensor& x, double sigma) const {
  const Placement placement = network_.placement();
  const bool guided = guidance_.guides(sigma);
  const double norm = prediction_ == Prediction::flow ? 1 : std::sqrt(sigma * sigma + 1);
  at::Tensor input = (x / norm).to(placement.dtype);
  if (guided) input = at::cat({input, input});
  std::vector<at::Tensor> inputs{input, at::full({input.size(0)}, time_of(sigma), x.options())};
  const std::vector<at::Tensor> conditioning = conditioning_at(guided, x.size(0));
  inputs.insert(inputs.end(), conditioning.begin(), conditioning.end());
  at::Tensor output = network_.run(inputs).front().to(at::kFloat);
  if (guided) {
    const std::int64_t half = x.size(0);
    const at::Tensor negative = output.narrow(0, 0, half);
    const at::Tensor positive = output.narrow(0, half, half);
    output = negative + guidance_.scale * (positive - negative);
    if (guidance_.rescale > 0) output = rescaled(output, positive, guidance_.rescale);
  }
  switch (prediction_) {
    case Prediction::epsilon: return x - sigma * output;
    case Prediction::flow: return x - sigma * output;
    case Prediction::v: return x / (sigma * sigma + 1) - output * (sigma / std::sqrt(sigma * sigma + 1));
  }
  return x;
}

}  // namespace lapis::engine
