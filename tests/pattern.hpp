// Pictures drawn by a formula, the same as in scripts/golden/pixels.py.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/picture/pixels.hpp"

namespace lapis::test {

inline core::Pixels pattern(int width, int height, int channels) {
  core::Pixels pixels = core::make_pixels(width, height, channels);
  auto to = pixels.bytes.begin();
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c) {
        *to++ = static_cast<std::uint8_t>((x * 37 + y * 91 + c * 53 + x * y * 7 + (x / 3 + y / 2) % 2 * 128) % 256);
      }
    }
  }
  return pixels;
}

inline std::vector<std::uint8_t> from_hex(const std::string& hex) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

}  // namespace lapis::test
