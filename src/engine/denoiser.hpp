// The network as a sampler sees it: D(x, sigma) -> x0.
#pragma once

#include <ATen/core/Tensor.h>
#include <vector>

#include "engine/part.hpp"
#include "lapis/sampling.hpp"

namespace lapis::engine {

/// [1, C, h, w] as the tokens of a network with patches: [1, h/2 * w/2, 4 C], rows of 2 x 2 cells from the top left, a
/// token's numbers channel by channel and its cells by row and column (_pack_latents of FluxPipeline). h and w are
/// even.
at::Tensor packed(const at::Tensor& x);

/// Undoes `packed`: [B, h/2 * w/2, 4 C] to [B, C, h, w].
at::Tensor unpacked(const at::Tensor& tokens, std::int64_t height, std::int64_t width);

/// D over a network that predicts the noise or v on the variance-exploding path x = x0 + sigma n (Karras et al. 2022,
/// section 5 and table 1, "VP": c_in = 1 / sqrt(sigma^2 + 1)), or the velocity v = n - x0 on the flow path
/// x = (1 - sigma) x0 + sigma n, where D = x - sigma v and the network's time is sigma itself (Esser et al. 2024,
/// section 2). The only place that knows what the network predicts and whether it reads patches. Borrows its part.
class Denoiser {
 public:
  /// `patch` is the family's: 1 or 2. `conditioning` as an adapter gives it. With `guidance` > 1 its negative and
  /// positive halves run in one call, and the result is negative + guidance * (positive - negative) (Ho and Salimans
  /// 2022, equation 6).
  Denoiser(LoadedPart& network, Prediction prediction, int patch, const Schedule& schedule,
           std::vector<at::Tensor> conditioning, double guidance);

  /// x [1, C, h, w], fp32, on the network's device; sigma one of the schedule's. Returns x0 like x.
  at::Tensor operator()(const at::Tensor& x, double sigma) const;

 private:
  double time_of(double sigma) const;
  at::Tensor output_of(const at::Tensor& input, double time) const;

  LoadedPart& network_;
  Prediction prediction_;
  int patch_;
  const Schedule& schedule_;
  std::vector<at::Tensor> conditioning_;
  double guidance_;
};

}  // namespace lapis::engine
