// Where a latent's numbers live.
#pragma once

#include <string>
#include <vector>

namespace lapis {

/// A latent space. A raw VAE value v of channel c becomes the model's value (v - shift - mean[c]) * scale /
/// deviation[c]; a space has a shift or a mean and deviation of each channel, as its VAE's config has. Two spaces hold
/// the same values only if every number and the lineage agree: the channel count alone says nothing.
struct Space {
  std::string id;       ///< "sd15", "sdxl", "flux"
  int channels = 0;     ///< C of [B, C, h, w]
  int downscale = 0;    ///< picture pixels per latent cell, along one side
  double scale = 1;     ///< scaling_factor of the VAE's config
  double shift = 0;     ///< shift_factor, 0 where the VAE has none
  std::string lineage;  ///< which training the VAE comes from: "sd15" is what was published, "tiny-sd15" another one
  std::vector<double> mean = {};       ///< latents_mean, one a channel; empty where the VAE has none
  std::vector<double> deviation = {};  ///< latents_std, one a channel; empty where the VAE has none

  bool operator==(const Space&) const = default;
};

}  // namespace lapis
