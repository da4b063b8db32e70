// The strength of image to image: where on a schedule a run begins that does not begin at noise.
#pragma once

#include "lapis/sampling.hpp"

namespace lapis::core {

/// How many of `steps` are skipped for a strength of 0 to 1, as diffusers' get_timesteps has it: a run of
/// int(steps * strength) steps on the variance-exploding path (StableDiffusionImg2ImgPipeline and its XL kin), of
/// steps - int(steps - steps * strength) on the flow path (FluxImg2ImgPipeline). `steps` where nothing is left to do.
int skipped_steps(int steps, double strength, Path path);

/// The schedule without its first `skipped` steps; skipped < steps.
Schedule rest_of(const Schedule& schedule, int skipped);

}  // namespace lapis::core
