// A denoiser that draws only where a mask lets it.
#pragma once

#include <ATen/core/Tensor.h>
#include <functional>

#include "lapis/image.hpp"
#include "lapis/sampling.hpp"

namespace lapis::engine {

/// The mask as weights [1, 1, h, w] of latent cells, 1 where a cell is inpainted: its value at the first pixel of each
/// cell, as torch's nearest interpolation takes it.
at::Tensor cell_weights(const Mask& mask, int downscale, at::Device device);

/// Inpainting with a network that knows of no mask: the network sees the picture, noised to sigma with the noise the
/// run began with, wherever the mask is 0, and its x0 is mixed with the picture's by the mask: m D + (1 - m) x0. A
/// hard mask gives what StableDiffusionInpaintPipeline of diffusers does with a network of 4 channels, which overwrites
/// the latent after each step: what the network reads is the same at every evaluation, whatever the sampler, and the
/// run ends in the picture itself outside the mask. Soft values weigh the two x0 once, not once more at every step.
class MaskedDenoiser {
 public:
  using Inner = std::function<at::Tensor(const at::Tensor& x, double sigma)>;

  /// `original` and `noise` [1, C, h, w] and `weights` [1, 1, h, w] on the network's device. With `from_noise` the
  /// first evaluation reads the latent as it is: diffusers begins a run of full strength so.
  MaskedDenoiser(Inner inner, at::Tensor original, at::Tensor noise, at::Tensor weights, Path path, bool from_noise);

  at::Tensor operator()(const at::Tensor& x, double sigma);

 private:
  Inner inner_;
  at::Tensor original_;
  at::Tensor noise_;
  at::Tensor weights_;
  at::Tensor kept_;  ///< true where nothing is drawn
  Path path_;
  bool bare_;  ///< the next evaluation reads the latent as it is
};

}  // namespace lapis::engine
