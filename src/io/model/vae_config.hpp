// What a VAE says of itself in diffusers' form: vae/config.json.
#pragma once

#include <filesystem>
#include <optional>

#include "lapis/model.hpp"
#include "lapis/space.hpp"

namespace lapis::io {

/// A VAE's config. It has numbers and no name: no config tells which training the weights come from.
struct VaeConfig {
  std::filesystem::path file;
  Space space;  ///< id and lineage are empty
};

/// Reads `folder`/config.json, or `folder`/vae/config.json where that is not there. What is left out is what
/// AutoencoderKL takes then: SD1's own config does not name its scale. Throws Error{model} for a folder without one, a
/// config that is malformed, and one of another kind of network.
VaeConfig read_vae_config(const std::filesystem::path& folder);

/// The config that lies beside the weights of a model's VAE; none where none lies there, or one of another kind. Throws
/// Error{model} for a config that is malformed.
std::optional<VaeConfig> vae_config_of(const Model& model);

/// The file of weights beside a VAE's config, as diffusers names it.
std::filesystem::path vae_weights(const VaeConfig& config);

}  // namespace lapis::io
