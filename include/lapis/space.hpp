// Where a latent's numbers live.
#pragma once

#include <string>

namespace lapis {

/// A latent space. A raw VAE value v becomes the model's value (v - shift) * scale.
/// Two spaces are the same only if every field agrees: the channel count alone says nothing.
struct Space {
  std::string id;       ///< "sd15", "sdxl", "flux"
  int channels = 0;     ///< C of [B, C, h, w]
  int downscale = 0;    ///< picture pixels per latent cell, along one side
  double scale = 1;     ///< scaling_factor of the VAE's config
  double shift = 0;     ///< shift_factor, 0 where the VAE has none
  std::string lineage;  ///< which training the VAE comes from: "sd15", "tiny-sd15"

  bool operator==(const Space&) const = default;
};

}  // namespace lapis
