// Between latents and pictures.
#pragma once

#include <ATen/core/Tensor.h>

#include "engine/noise.hpp"
#include "engine/part.hpp"
#include "lapis/image.hpp"
#include "lapis/model.hpp"

namespace lapis::engine {

/// Raw VAE values [B, C, h, w], fp32 on the CPU, in model units, and back: `core::to_model_units` and
/// `core::to_vae_units` over tensors, to the bit.
at::Tensor to_model_units(const at::Tensor& raw, const Space& space);
at::Tensor to_vae_units(const at::Tensor& latent, const Space& space);

/// A latent [1, C, h, w] in model units to a picture [1, 3, H, W] in [-1, 1], fp32 on the CPU, in overlapping tiles if
/// `tiled`.
at::Tensor decode(LoadedPart& decoder, const Space& space, const at::Tensor& latent, bool tiled);

/// What an encoder says of a picture: a normal distribution of raw VAE values, [1, C, h, w] each, fp32 on the CPU.
struct Moments {
  at::Tensor mean;
  at::Tensor deviation;
};

/// A picture, its sides multiples of the space's downscale, to its moments. Log variances are cut to [-30, 20] as
/// AutoencoderKL does.
Moments encode(LoadedPart& encoder, const Space& space, const Image& image, bool tiled);

/// A latent in model units drawn from `moments`, as diffusers' latent_dist.sample(generator) does.
at::Tensor sampled(const Moments& moments, const Space& space, Noise& noise);

/// True if every number is finite.
bool is_finite(const at::Tensor& values);

/// A picture [1, 3, H, W] in [-1, 1] to 8 bit, rounded half to even as diffusers does.
/// Throws Error{numeric} if a number is not finite, or if all pixels are one colour: what a failed decode looks like.
Image to_image(const at::Tensor& picture);

}  // namespace lapis::engine
