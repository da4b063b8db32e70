// Latents on disk: a safetensors file with the tensor "latent" and its passport as string metadata.
#pragma once

#include <filesystem>

#include "lapis/latent.hpp"

namespace lapis::io {

/// Writes `latent` in model units, f32, with its space and sigma. `write_file` names the errors.
void write_latent(const std::filesystem::path& path, const Latent& latent, bool overwrite);

}  // namespace lapis::io
