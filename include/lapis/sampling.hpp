// Words of sampling that cross rooms: what a network predicts, how noise grows, which sigmas a sampler walks.
#pragma once

#include <string>
#include <vector>

namespace lapis {

/// What a denoiser's output means. Only the denoiser wrapper in the engine reads it.
enum class Prediction { epsilon, v };

/// How the n timesteps are taken from the training steps (Lin et al. 2024, "Common Diffusion Noise Schedules and
/// Sample Steps are Flawed", table 2).
enum class Spacing { leading, linspace, trailing };

/// How the betas grow over the training steps.
enum class BetaCurve { linear, scaled_linear };

/// The forward process a denoiser was trained on, and the spacing its makers sample it with.
struct SamplingFacts {
  Prediction prediction = Prediction::epsilon;
  int train_steps = 1000;
  BetaCurve beta_curve = BetaCurve::scaled_linear;
  double beta_start = 0.00085;
  double beta_end = 0.012;
  Spacing spacing = Spacing::leading;
  int steps_offset = 1;  ///< added to every timestep of the leading spacing

  bool operator==(const SamplingFacts&) const = default;
};

/// n noise levels and the timesteps a network knows them by.
struct Schedule {
  std::vector<double> sigmas;     ///< n + 1 values, falling, the last one 0
  std::vector<double> timesteps;  ///< n values, the network's time of each sigma but the last
  double initial_noise = 1;       ///< the first latent is unit noise times this
};

}  // namespace lapis
