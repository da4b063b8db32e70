// Whose VAE a file holds.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "lapis/space.hpp"

namespace lapis::cli {

struct VaeOwner {
  std::string name;  ///< for people: "the VAE of model tiny-sdxl"
  Space space;
};

/// Who published a file of VAE weights, or which known model has the very same; none where nobody is known. Told by the
/// file's SHA-256, which is computed where some known one is of its size.
std::optional<VaeOwner> vae_owner(const std::filesystem::path& file);

}  // namespace lapis::cli
