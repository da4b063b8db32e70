// A picture in memory.
#pragma once

#include <cstdint>
#include <vector>

namespace lapis {

/// 8-bit sRGB, three bytes a pixel, rows from top to bottom without padding.
struct Image {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;  ///< width * height * 3
};

/// Where a picture is inpainted: one byte a pixel, 255 wholly, 0 not at all.
struct Mask {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> values;  ///< width * height
};

}  // namespace lapis
