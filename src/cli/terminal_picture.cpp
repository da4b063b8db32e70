#include "cli/terminal_picture.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string_view>

#include "core/picture/pixels.hpp"
#include "core/picture/resize.hpp"

namespace lapis::cli {
namespace {

/// The three samples at a place.
const std::uint8_t* at(const Image& image, int x, int y) {
  return image.rgb.data() +
         (static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) + static_cast<std::size_t>(x)) * 3;
}

std::string colour_code(int target, const std::uint8_t* rgb) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "\x1b[%d;2;%d;%d;%dm", target, rgb[0], rgb[1], rgb[2]);
  return text.data();
}

int brightness(const std::uint8_t* rgb) { return (299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2]) / 1000; }

}  // namespace

Image narrowed(const Image& image, int columns) {
  if (image.width <= columns) return image;
  const int height = std::max(1, (image.height * columns + image.width / 2) / image.width);
  return core::rgb_image(core::resized(core::pixels_of(image), columns, height, core::Filter::box));
}

std::string half_blocks(const Image& image) {
  constexpr int ink = 38;
  constexpr int paper = 48;
  std::string text;
  for (int y = 0; y < image.height; y += 2) {
    for (int x = 0; x < image.width; ++x) {
      text += colour_code(ink, at(image, x, y));
      if (y + 1 < image.height) text += colour_code(paper, at(image, x, y + 1));
      text += "\u2580";
    }
    text += "\x1b[0m\n";
  }
  return text;
}

std::string shaded(const Image& image) {
  constexpr std::string_view shades = " .:-=+*#%@";
  std::string text;
  for (int y = 0; y < image.height; y += 2) {
    for (int x = 0; x < image.width; ++x) {
      const int upper = brightness(at(image, x, y));
      const int lower = y + 1 < image.height ? brightness(at(image, x, y + 1)) : upper;
      text += shades[static_cast<std::size_t>((upper + lower) / 2) * shades.size() / 256];
    }
    text += "\n";
  }
  return text;
}

}  // namespace lapis::cli
