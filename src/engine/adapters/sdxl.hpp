// SDXL: hidden states of two CLIP text encoders side by side, the second one's pooled vector, and sizes.
#pragma once

#include "engine/adapter.hpp"

namespace lapis::engine {

/// The six numbers that an SDXL network reads of a picture (Podell et al. 2023, "SDXL: Improving Latent Diffusion
/// Models for High-Resolution Image Synthesis", section 2.2): f32 [rows, 6] of original height, original width, crop
/// from the top, crop from the left, height, width. All rows are the same.
at::Tensor time_ids(const ResolvedJob& job, std::int64_t rows);

/// { context [1 or 2, tokens, width_1 + width_2], pooled [1 or 2, pooled width], time_ids }. Where the model says so,
/// an empty negative prompt is zeros in place of what the encoders make of it.
std::vector<at::Tensor> sdxl_conditioning(Parts& parts, const RenderRequest& request);

}  // namespace lapis::engine
