// The container of a latent file of any form, opened: which form it is, and the one tensor in it that matters.
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

/// What the keys of a form's own metadata have before them in `LatentDocument::extra`: "x-comfy.". Empty for a form
/// that has none.
std::string metadata_prefix(LatentFormat format);

/// A latent file, opened. Of lapis' own form only `format` is set: `parse_latent` reads such a file whole.
struct LatentContainer {
  LatentFormat format = LatentFormat::lapis;
  TensorView tensor;
  std::map<std::string, std::string> metadata;
};

/// Tells by its bytes which form a file has, and finds its tensor. Throws as `detect_form`.
LatentContainer open_latent_container(std::span<const std::byte> file, const std::string& name);

}  // namespace lapis::io
