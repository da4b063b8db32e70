// The network as a sampler sees it: D(x, sigma) -> x0.
#pragma once

#include <ATen/core/Tensor.h>
#include <vector>

#include "engine/part.hpp"
#include "lapis/sampling.hpp"

namespace lapis::engine {

/// A denoiser of the variance-exploding path x = x0 + sigma n, over a network that predicts the noise or v
/// (Karras et al. 2022, section 5 and table 1, "VP": c_in = 1 / sqrt(sigma^2 + 1)). The only place that knows what the
/// network predicts. Borrows its part.
class Denoiser {
 public:
  /// `conditioning` as an adapter gives it. With `guidance` > 1 its negative and positive halves run in one call, and
  /// the result is negative + guidance * (positive - negative) (Ho and Salimans 2022, equation 6).
  Denoiser(LoadedPart& network, Prediction prediction, const Schedule& schedule, std::vector<at::Tensor> conditioning,
           double guidance);

  /// x [1, C, h, w], fp32, on the network's device; sigma one of the schedule's. Returns x0 like x.
  at::Tensor operator()(const at::Tensor& x, double sigma) const;

 private:
  double time_of(double sigma) const;

  LoadedPart& network_;
  Prediction prediction_;
  const Schedule& schedule_;
  std::vector<at::Tensor> conditioning_;
  double guidance_;
};

}  // namespace lapis::engine
