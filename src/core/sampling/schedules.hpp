// Noise levels: those a network was trained on, and the few that a sampler steps through.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lapis/sampling.hpp"

namespace lapis::core {

/// One row per spacing.
struct SpacingRow {
  Spacing spacing;
  std::string name;  ///< on the command line, in model.json and in provenance
  std::string help;  ///< one line
};

/// All spacings, in the order in which messages list them.
std::span<const SpacingRow> spacings();

/// One row per curve of betas.
struct BetaCurveRow {
  BetaCurve curve;
  std::string name;       ///< in model.json
  std::string diffusers;  ///< as beta_schedule of a scheduler's configuration
};

std::span<const BetaCurveRow> beta_curves();

/// The row of `curve`.
const BetaCurveRow& beta_curve_row(BetaCurve curve);

/// The name of `spacing`.
const std::string& spacing_name(Spacing spacing);

/// The spacing called `name`. Throws Error{usage} with the names there are.
Spacing find_spacing(std::string_view name);

/// sigma(t) = sqrt((1 - abar_t) / abar_t) for t = 0 ... train_steps - 1, rising, where abar_t is the product of 1 -
/// beta up to t (Ho et al. 2020, "Denoising Diffusion Probabilistic Models", eq. 4; sigma as in Karras et al. 2022,
/// "Elucidating the Design Space of Diffusion-Based Generative Models", table 1, VP). The betas lie evenly from
/// beta_start to beta_end (linear), or their square roots do (scaled_linear; Rombach et al. 2022, "High-Resolution
/// Image Synthesis with Latent Diffusion Models"), or abar is a squared cosine (Nichol and Dhariwal 2021, "Improved
/// Denoising Diffusion Probabilistic Models", eq. 17). With zero terminal SNR the square roots of abar are moved so
/// that the last is 0 (Lin et al. 2024, algorithm 1), where it then counts as 2^-24, whose sigma is 4096: the stand-in
/// of diffusers' Euler, DPM-Solver and UniPC. Networks were trained on the float32 values, so betas and products are
/// rounded as torch rounds them. `facts` must be checked: at least 1 step, 0 < beta_start <= beta_end < 1.
std::vector<double> training_sigmas(const SamplingFacts& facts);

/// `steps` noise levels as EulerDiscreteScheduler of diffusers 0.42 takes them: timesteps by `spacing` (Lin et al.
/// 2024, "Common Diffusion Noise Schedules and Sample Steps are Flawed", table 2; leading adds facts.steps_offset),
/// sigmas read off the training sigmas by linear interpolation, 0 at the end. initial_noise is the largest sigma s, or
/// sqrt(s^2 + 1) for leading, whose first step is not the noisiest. Equal to diffusers within 1e-6 of each value;
/// where diffusers' trailing spacing gives one timestep more than asked (61 or 998 of 1000, for two), this does not.
/// 1 <= steps <= facts.train_steps; at leading's most steps, the offset makes the first two sigmas equal.
Schedule make_schedule(const SamplingFacts& facts, Spacing spacing, int steps);

}  // namespace lapis::core
