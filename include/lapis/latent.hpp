// A latent in memory.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "lapis/space.hpp"

namespace lapis {

/// Values in model units, canonical form x0 + sigma * n, row-major [B, C, h, w].
struct Latent {
  Space space;
  std::array<std::int64_t, 4> shape{};
  std::vector<float> values;
  double sigma = 0;  ///< noise still in it; 0 is a finished latent
};

}  // namespace lapis
