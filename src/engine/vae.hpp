// Between latents and pictures.
#pragma once

#include <ATen/core/Tensor.h>

#include "engine/part.hpp"
#include "lapis/image.hpp"
#include "lapis/model.hpp"

namespace lapis::engine {

/// A latent [1, C, h, w] in model units to a picture [1, 3, H, W] in [-1, 1], fp32 on the CPU.
/// This is the one place that undoes a space's scale and shift.
at::Tensor decode(LoadedPart& decoder, const Space& space, const at::Tensor& latent);

/// True if every number is finite.
bool is_finite(const at::Tensor& values);

/// A picture [1, 3, H, W] in [-1, 1] to 8 bit, rounded half to even as diffusers does.
/// Throws Error{numeric} if a number is not finite, or if all pixels are one colour: what a failed decode looks like.
Image to_image(const at::Tensor& picture);

}  // namespace lapis::engine
