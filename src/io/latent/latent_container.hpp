// The container of a latent file of any format, opened: which format it is, and the one tensor in it that matters.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>

#include "io/file/safetensors.hpp"
#include "io/latent/latent_formats.hpp"

namespace lapis::io {

constexpr const char* comfy_tensor = "latent_tensor";
constexpr const char* comfy_marker = "latent_format_version_0";
constexpr const char* diffusers_tensor = "latents";
constexpr const char* lapis_tensor = "latent";

/// What the keys of a format's own metadata have before them in `LatentDocument::extra`: "x-comfy.". Empty for a
/// format that has none.
std::string metadata_prefix(LatentFormat format);

/// A latent file, opened. Of lapis' own format only `format` is set: `parse_latent` reads such a file whole.
struct LatentContainer {
  LatentFormat format = LatentFormat::lapis;
  TensorView tensor;
  std::map<std::string, std::string> metadata;
};

/// Finds the tensor of a latent file, and by its bytes alone which format it has: never its space. Throws Error{input}
/// for what is no latent at all (nothing, a picture, text, a checkpoint, a pickle), saying what it is and what to do
/// with it.
LatentContainer open_latent_container(std::span<const std::byte> file, const std::string& name);

}  // namespace lapis::io
