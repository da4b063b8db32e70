// What a network predicts, how noise grows, which sigmas a sampler steps through.
#pragma once

#include <string>
#include <vector>

namespace lapis {

/// What a denoiser's output means. Only the denoiser wrapper in the engine reads it; all else asks for its `Path`.
enum class Prediction { epsilon, v, flow };

/// The forward process x = alpha(sigma) x0 + sigma n. On the variance-exploding path alpha is 1 and sigma any positive
/// number; on the flow path alpha is 1 - sigma and sigma lies in (0, 1] (Lipman et al. 2023, "Flow Matching for
/// Generative Modeling"; Esser et al. 2024, "Scaling Rectified Flow Transformers for High-Resolution Image Synthesis").
enum class Path { variance_exploding, flow };

/// The path that networks of this prediction denoise on: flow for flow, else variance exploding.
constexpr Path path_of(Prediction prediction) {
  return prediction == Prediction::flow ? Path::flow : Path::variance_exploding;
}

/// How the n timesteps are taken from the training steps (Lin et al. 2024, "Common Diffusion Noise Schedules and
/// Sample Steps are Flawed", table 2).
enum class Spacing { leading, linspace, trailing };

/// How the betas grow over the training steps.
enum class BetaCurve { linear, scaled_linear, cosine };

/// How a flow model's sigmas are moved towards noise: sigma' = e^mu sigma / (1 + (e^mu - 1) sigma) (Esser et al. 2024,
/// section 5.3.2). mu is ln(shift); or, where the shift is dynamic, the line through (base_tokens, base_shift) and
/// (max_tokens, max_shift) at the picture's count of tokens.
struct FlowShift {
  bool dynamic = false;
  double shift = 1;         ///< where it is not dynamic
  double base_shift = 0.5;  ///< mu of a picture of base_tokens, where it is dynamic
  double max_shift = 1.15;  ///< mu of a picture of max_tokens, where it is dynamic
  int base_tokens = 256;    ///< where it is dynamic
  int max_tokens = 4096;    ///< where it is dynamic

  bool operator==(const FlowShift&) const = default;
};

/// The forward process a denoiser was trained on, and the spacing its makers sample it with. The betas, spacing and
/// offset are those of a variance-exploding model, the flow shift that of a flow model.
struct SamplingFacts {
  Prediction prediction = Prediction::epsilon;
  int train_steps = 1000;
  BetaCurve beta_curve = BetaCurve::scaled_linear;
  double beta_start = 0.00085;  ///< of all curves but cosine
  double beta_end = 0.012;      ///< of all curves but cosine
  bool zero_snr = false;        ///< rescaled, so that nothing of the picture is left at the last training step
  Spacing spacing = Spacing::leading;
  int steps_offset = 1;  ///< added to every timestep of the leading spacing
  FlowShift flow_shift;

  bool operator==(const SamplingFacts&) const = default;
};

/// n noise levels and the timesteps a network knows them by.
struct Schedule {
  std::vector<double> sigmas;     ///< n + 1 values, falling, the last one 0
  std::vector<double> timesteps;  ///< n values, the network's time of each sigma but the last
  double initial_noise = 1;       ///< the first latent is unit noise times this
};

}  // namespace lapis
