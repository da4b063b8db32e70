// Pictures drawn by formula, free of noise: what a VAE is measured on where the user gives none.
#pragma once

#include <span>
#include <string>

#include "lapis/image.hpp"

namespace lapis::core {

/// One row per pattern.
struct PatternRow {
  std::string name;
  std::string description;
  Image (*draw)(int width, int height);
};

/// All patterns, in the order in which they are measured.
std::span<const PatternRow> patterns();

}  // namespace lapis::core
