#include "core/picture/patterns.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

namespace lapis::core {
namespace {

using Levels = std::array<double, 3>;  // 0 to 255

/// `colour(u, v)` of every pixel, with u and v from 0 to 1 between the middles of the outermost pixels.
template <typename ColourAt>
Image drawn(int width, int height, const ColourAt& colour) {
  Image image{width, height, {}};
  image.rgb.reserve(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const Levels levels = colour(x / std::max(1.0, width - 1.0), y / std::max(1.0, height - 1.0));
      for (const double level : levels) {
        image.rgb.push_back(static_cast<std::uint8_t>(std::lround(std::clamp(level, 0.0, 255.0))));
      }
    }
  }
  return image;
}

Image ramps(int width, int height) {
  return drawn(width, height, [](double u, double v) { return Levels{255 * u, 255 * v, 255 - 127.5 * (u + v)}; });
}

Image bars(int width, int height) {
  return drawn(width, height, [](double u, double v) {
    constexpr int count = 8;
    const int bar = count - 1 - std::min(count - 1, static_cast<int>(u * count));
    const double level = v < 0.5 ? 255 : 128;
    const auto on = [&](int bit) { return (bar & bit) != 0 ? level : 255 - level; };
    return Levels{on(2), on(4), on(1)};
  });
}

Image rings(int width, int height) {
  return drawn(width, height, [&](double u, double v) {
    // One ring in four pixels where the frequency is highest, at the corners.
    const double radius = std::hypot(u - 0.5, v - 0.5) / std::numbers::sqrt2 * 2;
    const double turns = std::min(width, height) / 16.0 * radius * radius;
    const auto wave = [&](double phase) { return 127.5 + 100 * std::cos(2 * std::numbers::pi * (turns + phase)); };
    return Levels{wave(0), wave(0.15), wave(0.3)};
  });
}

Image discs(int width, int height) {
  struct Disc {
    double u, v, radius;
    Levels colour;
  };
  static constexpr std::array discs_there = {
      Disc{0.22, 0.28, 0.14, {214, 52, 44}},  Disc{0.55, 0.22, 0.11, {240, 200, 60}},
      Disc{0.80, 0.40, 0.16, {40, 96, 190}},  Disc{0.36, 0.68, 0.19, {46, 150, 74}},
      Disc{0.72, 0.76, 0.13, {150, 70, 160}}, Disc{0.14, 0.84, 0.08, {235, 235, 228}},
  };
  return drawn(width, height, [&](double u, double v) {
    Levels colour{120 + 90 * v, 170 + 30 * v, 230 - 110 * v};
    const double side = std::min(width, height);
    for (const Disc& disc : discs_there) {
      const double distance = std::hypot((u - disc.u) * width, (v - disc.v) * height) - disc.radius * side;
      const double cover = std::clamp(0.5 - distance, 0.0, 1.0);
      for (std::size_t c = 0; c < 3; ++c) colour[c] += cover * (disc.colour[c] - colour[c]);
    }
    return colour;
  });
}

}  // namespace

std::span<const PatternRow> patterns() {
  static const std::vector<PatternRow> rows = {
      {"ramps", "red rises to the right, green downwards, blue falls along both", ramps},
      {"bars", "the eight colour bars, full above and half below", bars},
      {"rings", "rings that grow finer to the corners, shifted between the channels", rings},
      {"discs", "six plain discs on a gradient", discs},
  };
  return rows;
}

}  // namespace lapis::core
