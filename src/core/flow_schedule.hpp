// Noise levels of flow models.
#pragma once

#include "lapis/sampling.hpp"

namespace lapis::core {

/// mu of a picture of so many tokens: ln(shift), or the line through (base_tokens, base_shift) and (max_tokens,
/// max_shift) where the shift is dynamic (Esser et al. 2024, section 5.3.2; calculate_shift of diffusers).
double flow_mu(const FlowShift& shift, int tokens);

/// `steps` noise levels as FlowMatchEulerDiscreteScheduler of diffusers 0.42 walks them in FluxPipeline: evenly from 1
/// to 1 / steps, each shifted to e^mu sigma / (1 + (e^mu - 1) sigma), 0 at the end. The time of a sigma is sigma times
/// facts.train_steps; the first latent is unit noise. Equal to diffusers within 1e-6 of each value. 1 <= steps.
Schedule make_flow_schedule(const SamplingFacts& facts, int steps, int tokens);

}  // namespace lapis::core
