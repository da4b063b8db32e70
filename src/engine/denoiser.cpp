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
  return {cfg_scale(job), job.guidance_rescale, sigma_at(job.guidance_interval.to),
          sigma_at(job.guidance_interval.from)};
}

at::Tensor rescaled(const at::Tensor& guided, const at::Tensor& positive, double share) {
  std::vector<std::int64_t> all_but_first(static_cast<std::size_t>(guided.dim()) - 1);
  std::iota(all_but_first.begin(), all_but_first.end(), 1);
  const auto spread = [&](const at::Tensor& values) { return at::std(values, all_but_first, true, true); };
  return share * (guided * (spread(positive) / spread(guided))) + (1 - share) * guided;
}

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
                   const core::SigmaTimeMap& times, std::vector<at::Tensor> conditioning, Guidance guidance)
    : network_(network),
      prediction_(prediction),
      patch_(patch),
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

/// What the network says of `input` [1, C, h, w], in fp32, guided or from the positive half alone.
at::Tensor Denoiser::output_of(const at::Tensor& input, double time, bool guided) const {
  at::Tensor sample = (patch_ == 1 ? input : packed(input)).to(network_.placement().dtype);
  if (guided) sample = at::cat({sample, sample});
  const std::vector<std::int64_t> each = {sample.size(0)};
  const at::Tensor times =
      at::full(network_.takes_scalar(1) ? std::vector<std::int64_t>{} : each, time, input.options());
  std::vector<at::Tensor> inputs{sample, times};
  const std::vector<at::Tensor> conditioning = conditioning_at(guided, input.size(0));
  inputs.insert(inputs.end(), conditioning.begin(), conditioning.end());
  at::Tensor output = network_.run(inputs).front().to(at::kFloat);
  if (guided) {
    const std::int64_t half = input.size(0);
    const at::Tensor negative = output.narrow(0, 0, half);
    const at::Tensor positive = output.narrow(0, half, half);
    output = negative + guidance_.scale * (positive - negative);
    if (guidance_.rescale > 0) output = rescaled(output, positive, guidance_.rescale);
  }
  return patch_ == 1 ? output : unpacked(output, input.size(2), input.size(3));
}

at::Tensor Denoiser::operator()(const at::Tensor& x, double sigma) const {
  const double norm = std::sqrt(sigma * sigma + 1);
  const bool guided = guidance_.guides(sigma);
  switch (prediction_) {
    case Prediction::epsilon: return x - sigma * output_of(x / norm, time_of(sigma), guided);
    case Prediction::v: return x / (norm * norm) - output_of(x / norm, time_of(sigma), guided) * (sigma / norm);
    case Prediction::flow: return x - sigma * output_of(x, sigma, guided);
  }
  throw Error(ErrorKind::internal, "unknown prediction");
}

}  // namespace lapis::engine
