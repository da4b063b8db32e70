// The network as a sampler sees it: D(x, sigma) -> x0.
#pragma once

#include <ATen/core/Tensor.h>
#include <cmath>
#include <vector>

#include "core/sampling/sigma_time_map.hpp"
#include "engine/part.hpp"
#include "lapis/job.hpp"
#include "lapis/sampling.hpp"

namespace lapis::engine {

/// How much a prompt is followed, and where. A sigma is guided where above < sigma <= up_to.
struct Guidance {
  double scale = 1;    ///< 1 or less: no negative pass anywhere
  double rescale = 0;  ///< how far a guided prediction gets the spread of the unguided one
  double above = 0;
  double up_to = INFINITY;

  /// Whether the network needs a negative pass at `sigma`.
  bool guides(double sigma) const { return scale > 1 && sigma > above && sigma <= up_to; }
};

/// The guidance of a job. Of n steps those from floor(n from) up to but without floor(n to) of its interval are guided,
/// as the guiders of diffusers 0.42 count `start` and `stop`; evaluations between two steps belong to the first.
Guidance guidance_of(const ResolvedJob& job, const Schedule& schedule);

/// `guided` with the standard deviation of `positive`, mixed with itself by `share` (Lin et al. 2024, "Common Diffusion
/// Noise Schedules and Sample Steps are Flawed", section 3.4, on what the network predicts: rescale_noise_cfg of
/// diffusers 0.42). Each picture of the batch by itself.
at::Tensor rescaled(const at::Tensor& guided, const at::Tensor& positive, double share);

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
  /// `patch` is the family's: 1 or 2. `conditioning` as an adapter gives it. Where `guidance` guides, its negative and
  /// positive halves run in one call, and the result is negative + scale * (positive - negative) (Ho and Salimans 2022,
  /// equation 6); elsewhere the positive half runs alone.
  Denoiser(LoadedPart& network, Prediction prediction, int patch, const Schedule& schedule,
           const core::SigmaTimeMap& times, std::vector<at::Tensor> conditioning, Guidance guidance);

  /// x [1, C, h, w], fp32, on the network's device; sigma > 0. Returns x0, of the shape, dtype and device of x. The
  /// network gets the schedule's timestep where sigma is one of the schedule's, else the training's time of sigma.
  at::Tensor operator()(const at::Tensor& x, double sigma) const;

 private:
  double time_of(double sigma) const;
  std::vector<at::Tensor> conditioning_at(bool guided, std::int64_t pictures) const;
  at::Tensor output_of(const at::Tensor& input, double time, bool guided) const;

  LoadedPart& network_;
  Prediction prediction_;
  int patch_;
  const Schedule& schedule_;
  const core::SigmaTimeMap& times_;
  std::vector<at::Tensor> conditioning_;
  Guidance guidance_;
};

}  // namespace lapis::engine
