#include "core/picture/pixels.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace lapis::core {
namespace {

std::size_t sample_count(int width, int height, int channels) {
  return static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * static_cast<std::size_t>(channels);
}

/// x / 255 to the nearest, for x up to 255 * 255.
std::uint8_t divided(unsigned x) {
  const unsigned rounded = x + 128;
  return static_cast<std::uint8_t>(((rounded >> 8U) + rounded) >> 8U);
}

std::uint8_t mixed(std::uint8_t below, std::uint8_t above, std::uint8_t weight) {
  return divided(below * (255U - weight) + above * static_cast<unsigned>(weight));
}

/// Where pixel (x, y) of an upright picture lies in one of width w and height h.
std::pair<int, int> source_of(int x, int y, int w, int h, int orientation) {
  switch (orientation) {
    case 2: return {w - 1 - x, y};
    case 3: return {w - 1 - x, h - 1 - y};
    case 4: return {x, h - 1 - y};
    case 5: return {y, x};
    case 6: return {y, h - 1 - x};
    case 7: return {w - 1 - y, h - 1 - x};
    case 8: return {w - 1 - y, x};
    default: return {x, y};
  }
}

}  // namespace

Pixels make_pixels(int width, int height, int channels) {
  return {width, height, channels, std::vector<std::uint8_t>(sample_count(width, height, channels))};
}

Pixels upright(Pixels pixels, int orientation) {
  if (orientation <= 1 || orientation > 8) return pixels;
  const bool sides_change = orientation >= 5;
  Pixels turned = make_pixels(sides_change ? pixels.height : pixels.width, sides_change ? pixels.width : pixels.height,
                              pixels.channels);
  const auto channels = static_cast<std::size_t>(pixels.channels);
  auto to = turned.bytes.begin();
  for (int y = 0; y < turned.height; ++y) {
    for (int x = 0; x < turned.width; ++x) {
      const auto [from_x, from_y] = source_of(x, y, pixels.width, pixels.height, orientation);
      const std::size_t from =
          sample_count(pixels.width, from_y, pixels.channels) + sample_count(from_x, 1, pixels.channels);
      to = std::copy_n(pixels.bytes.begin() + static_cast<std::ptrdiff_t>(from), channels, to);
    }
  }
  return turned;
}

std::string_view orientation_text(int orientation) {
  switch (orientation) {
    case 2: return "mirrored";
    case 3: return "turned by 180 degrees";
    case 4: return "flipped";
    case 5: return "turned by 90 degrees and mirrored";
    case 6: return "turned by 90 degrees clockwise";
    case 7: return "turned by 270 degrees and mirrored";
    case 8: return "turned by 90 degrees counter-clockwise";
    default: return "left as it is";
  }
}

bool has_holes(const Pixels& pixels) {
  if (pixels.channels % 2 != 0) return false;
  const auto channels = static_cast<std::size_t>(pixels.channels);
  for (std::size_t i = channels - 1; i < pixels.bytes.size(); i += channels) {
    if (pixels.bytes[i] != 255) return true;
  }
  return false;
}

Pixels flattened(Pixels pixels, std::uint8_t background) {
  if (pixels.channels % 2 != 0) return pixels;
  const auto channels = static_cast<std::size_t>(pixels.channels);
  std::size_t to = 0;
  for (std::size_t from = 0; from < pixels.bytes.size(); from += channels) {
    const std::uint8_t alpha = pixels.bytes[from + channels - 1];
    for (std::size_t c = 0; c + 1 < channels; ++c) {
      pixels.bytes[to++] = mixed(background, pixels.bytes[from + c], alpha);
    }
  }
  pixels.bytes.resize(to);
  --pixels.channels;
  return pixels;
}

Pixels grey(Pixels pixels) {
  assert(pixels.channels == 1 || pixels.channels == 3);
  if (pixels.channels == 1) return pixels;
  std::size_t to = 0;
  for (std::size_t from = 0; from < pixels.bytes.size(); from += 3) {
    const unsigned sum = 19595U * pixels.bytes[from] + 38470U * pixels.bytes[from + 1] + 7471U * pixels.bytes[from + 2];
    pixels.bytes[to++] = static_cast<std::uint8_t>((sum + 0x8000U) >> 16U);
  }
  pixels.bytes.resize(to);
  pixels.channels = 1;
  return pixels;
}

Image rgb_image(Pixels pixels) {
  assert(pixels.channels == 1 || pixels.channels == 3);
  if (pixels.channels == 3) return {pixels.width, pixels.height, std::move(pixels.bytes)};
  Image image{pixels.width, pixels.height, {}};
  image.rgb.reserve(pixels.bytes.size() * 3);
  for (const std::uint8_t value : pixels.bytes) image.rgb.insert(image.rgb.end(), 3, value);
  return image;
}

Pixels pixels_of(Image image) { return {image.width, image.height, 3, std::move(image.rgb)}; }

Mask mask_of(Pixels pixels) {
  assert(pixels.channels == 1);
  return {pixels.width, pixels.height, std::move(pixels.bytes)};
}

bool is_hard(const Mask& mask) {
  return std::all_of(mask.values.begin(), mask.values.end(), [](std::uint8_t v) { return v == 0 || v == 255; });
}

Mask hardened(Mask mask) {
  for (std::uint8_t& value : mask.values) value = value >= 128 ? 255 : 0;
  return mask;
}

bool touches_no_cell(const Mask& mask, int downscale) {
  for (int y = 0; y < mask.height; y += downscale) {
    for (int x = 0; x < mask.width; x += downscale) {
      if (mask.values[sample_count(mask.width, y, 1) + static_cast<std::size_t>(x)] != 0) return false;
    }
  }
  return true;
}

Image pasted(const Image& original, Image drawn, const Mask& mask) {
  assert(original.rgb.size() == drawn.rgb.size() && mask.values.size() * 3 == drawn.rgb.size());
  for (std::size_t i = 0; i < drawn.rgb.size(); ++i) {
    drawn.rgb[i] = mixed(original.rgb[i], drawn.rgb[i], mask.values[i / 3]);
  }
  return drawn;
}

}  // namespace lapis::core
