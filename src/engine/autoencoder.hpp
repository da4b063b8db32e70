// The VAE of a model at work.
#pragma once

#include <ATen/core/Tensor.h>
#include <string>
#include <utility>

#include "engine/parts.hpp"
#include "engine/vae.hpp"
#include "lapis/image.hpp"

namespace lapis::engine {

/// Takes pictures through both halves of the VAE: in tiles where `tiling` ("auto", "on", "off") or a lack of memory
/// asks for it, and a second time in fp32 where half precision overflows. Borrows its parts.
class Autoencoder {
 public:
  Autoencoder(Parts& parts, std::string tiling) : parts_(parts), tiling_(std::move(tiling)) {}

  /// A latent [1, C, h, w] in model units to pixels. Throws Error{numeric} as `to_image` does.
  Image decoded(const at::Tensor& latent);

  /// Pixels to moments. Throws Error{numeric} where they are not finite.
  Moments encoded(const Image& image);

  /// Seconds of all this since the last call, module calls included, without the loading of parts.
  double take_seconds() { return std::exchange(seconds_, 0.0); }

 private:
  Parts& parts_;
  std::string tiling_;
  double seconds_ = 0;
};

}  // namespace lapis::engine
