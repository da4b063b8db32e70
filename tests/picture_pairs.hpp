// Pairs of pictures drawn by formulas, the same as in scripts/golden/drawn.py.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

#include "core/picture/pixels.hpp"
#include "lapis/image.hpp"
#include "pattern.hpp"

namespace lapis::test {

/// A picture whose values `value(x, y, channel)` gives.
template <typename Value>
Image drawn(int width, int height, Value value) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < 3; ++c) image.rgb.push_back(static_cast<std::uint8_t>(value(x, y, c)));
    }
  }
  return image;
}

/// The upper bits of a linear congruential generator.
inline Image noise(int width, int height, std::uint32_t seed = 7) {
  std::uint32_t state = seed;
  return drawn(width, height, [&](int, int, int) { return (state = state * 1664525U + 1013904223U) >> 24U; });
}

inline Image first_picture(const std::string& kind, int width, int height) {
  if (kind == "pattern") return core::rgb_image(pattern(width, height, 3));
  if (kind == "smooth") return drawn(width, height, [](int x, int y, int c) { return (x * 2 + y + c * 40) / 2 % 256; });
  if (kind == "blocks")
    return drawn(width, height, [](int x, int y, int c) { return (x / 7 + y / 5) / (c + 1) % 2 * 255; });
  if (kind == "noise") return noise(width, height);
  throw std::invalid_argument(kind);
}

/// The place of a pixel among all of a picture.
inline std::size_t pixel_at(const Image& image, int x, int y) {
  return static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) + static_cast<std::size_t>(x);
}

/// A value; beyond an edge stands its last pixel.
inline int value_at(const Image& image, int x, int y, int c) {
  const std::size_t pixel = pixel_at(image, std::clamp(x, 0, image.width - 1), std::clamp(y, 0, image.height - 1));
  return image.rgb[3 * pixel + static_cast<std::size_t>(c)];
}

/// The mean of 3 x 3 pixels.
inline int blurred(const Image& image, int x, int y, int c) {
  int sum = 0;
  for (int i = -1; i <= 1; ++i) {
    for (int j = -1; j <= 1; ++j) sum += value_at(image, x + j, y + i, c);
  }
  return sum / 9;
}

/// The other picture of a pair.
inline Image changed(const Image& image, const std::string& how) {
  const int width = image.width;
  const int height = image.height;
  const Image other = noise(width, height, 11);
  return drawn(width, height, [&](int x, int y, int c) {
    const int value = value_at(image, x, y, c);
    if (how == "same") return value;
    if (how == "one") return value ^ 1;
    if (how == "spot") return x == width / 2 && y == height / 2 ? 255 - value : value;
    if (how == "brighter") return std::min(value + 9, 255);
    if (how == "mirrored") return value_at(image, width - 1 - x, y, c);
    if (how == "inverted") return 255 - value;
    if (how == "shaken") return value ^ ((x * 5 + y * 3 + c) % 13);
    if (how == "shifted") return value_at(image, (x + width - 1) % width, y, c);
    if (how == "blurred") return blurred(image, x, y, c);
    if (how == "noisy") return std::clamp(value + value_at(other, x, y, c) % 17 - 8, 0, 255);
    throw std::invalid_argument(how);
  });
}

}  // namespace lapis::test
