#include "core/picture/resize.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

namespace lapis::core {
namespace {

constexpr int precision_bits = 22;  // 32 - 8 for the sample - 2 for sums beyond 255

double sinc(double x) {
  if (x == 0) return 1;
  const double angle = x * std::numbers::pi;
  return std::sin(angle) / angle;
}

double support_of(Filter filter) {
  switch (filter) {
    case Filter::box: return 0.5;
    case Filter::bilinear: return 1;
    case Filter::bicubic: return 2;
    case Filter::lanczos: return 3;
  }
  return 0;
}

double kernel(Filter filter, double x) {
  constexpr double a = -0.5;  // of the cubic family (Keys 1981, "Cubic Convolution Interpolation", eq. 15)
  const double distance = std::abs(x);
  switch (filter) {
    case Filter::box: return x > -0.5 && x <= 0.5 ? 1 : 0;
    case Filter::bilinear: return distance < 1 ? 1 - distance : 0;
    case Filter::bicubic:
      if (distance < 1) return ((a + 2) * distance - (a + 3)) * distance * distance + 1;
      if (distance < 2) return (((distance - 5) * distance + 8) * distance - 4) * a;
      return 0;
    case Filter::lanczos: return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
  }
  return 0;
}

/// The samples one output sample is made of: `weights` from `first` on.
struct Taps {
  std::size_t first;
  std::vector<std::int32_t> weights;  ///< times 2^22
};

/// The taps of each of `out` samples over [from, to] of `in` samples.
std::vector<Taps> make_taps(int in, double from, double to, int out, Filter filter) {
  const double scale = (to - from) / out;
  const double stretch = std::max(scale, 1.0);
  const double support = support_of(filter) * stretch;
  std::vector<Taps> taps;
  taps.reserve(static_cast<std::size_t>(out));
  for (int i = 0; i < out; ++i) {
    const double center = from + (i + 0.5) * scale;
    const int first = std::max(static_cast<int>(std::floor(center - support + 0.5)), 0);
    const int end = std::min(static_cast<int>(std::floor(center + support + 0.5)), in);
    std::vector<double> exact;
    double sum = 0;
    for (int k = first; k < end; ++k) {
      exact.push_back(kernel(filter, (k - center + 0.5) * (1 / stretch)));
      sum += exact.back();
    }
    Taps each{static_cast<std::size_t>(first), {}};
    for (const double weight : exact) {
      const double scaled = (sum != 0 ? weight / sum : weight) * (1 << precision_bits);
      each.weights.push_back(static_cast<std::int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5));
    }
    taps.push_back(std::move(each));
  }
  return taps;
}

std::uint8_t sample_of(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> precision_bits, 0, 255));
}

constexpr std::int32_t half_unit = 1 << (precision_bits - 1);

Pixels along_rows(const Pixels& pixels, const std::vector<Taps>& taps) {
  Pixels result = make_pixels(static_cast<int>(taps.size()), pixels.height, pixels.channels);
  const auto channels = static_cast<std::size_t>(pixels.channels);
  const std::size_t row_bytes = static_cast<std::size_t>(pixels.width) * channels;
  std::uint8_t* to = result.bytes.data();
  for (std::size_t y = 0; y < static_cast<std::size_t>(pixels.height); ++y) {
    const std::uint8_t* row = pixels.bytes.data() + y * row_bytes;
    for (const Taps& each : taps) {
      for (std::size_t c = 0; c < channels; ++c) {
        const std::uint8_t* from = row + each.first * channels + c;
        std::int32_t sum = half_unit;
        std::size_t at = 0;
        for (const std::int32_t weight : each.weights) {
          sum += from[at] * weight;
          at += channels;
        }
        *to++ = sample_of(sum);
      }
    }
  }
  return result;
}

Pixels along_columns(const Pixels& pixels, const std::vector<Taps>& taps) {
  Pixels result = make_pixels(pixels.width, static_cast<int>(taps.size()), pixels.channels);
  const std::size_t row_bytes = static_cast<std::size_t>(pixels.width) * static_cast<std::size_t>(pixels.channels);
  std::vector<std::int32_t> sums(row_bytes);
  std::uint8_t* to = result.bytes.data();
  for (const Taps& each : taps) {
    std::fill(sums.begin(), sums.end(), half_unit);
    for (std::size_t k = 0; k < each.weights.size(); ++k) {  // row by row: memory is read in its order
      const std::uint8_t* row = pixels.bytes.data() + (each.first + k) * row_bytes;
      for (std::size_t i = 0; i < row_bytes; ++i) sums[i] += row[i] * each.weights[k];
    }
    for (const std::int32_t sum : sums) *to++ = sample_of(sum);
  }
  return result;
}

}  // namespace

Pixels resized(const Pixels& pixels, int width, int height, Filter filter, const std::optional<Box>& box) {
  assert(width > 0 && height > 0 && pixels.width > 0 && pixels.height > 0);
  const Box whole{0, 0, static_cast<double>(pixels.width), static_cast<double>(pixels.height)};
  const Box part = box.value_or(whole);
  const auto to_width = [&](const Pixels& from) {
    return along_rows(from, make_taps(pixels.width, part.left, part.right, width, filter));
  };
  const auto to_height = [&](const Pixels& from) {
    return along_columns(from, make_taps(pixels.height, part.top, part.bottom, height, filter));
  };
  const bool same_width = width == pixels.width && part.left == whole.left && part.right == whole.right;
  const bool same_height = height == pixels.height && part.top == whole.top && part.bottom == whole.bottom;
  if (same_width && same_height) return pixels;
  if (same_width) return to_height(pixels);
  if (same_height) return to_width(pixels);
  const int lost_rows = pixels.height - height;
  const int lost_columns = pixels.width - width;
  const bool rows_first = lost_rows > 0 && lost_rows > 2 * lost_columns;
  return rows_first ? to_width(to_height(pixels)) : to_height(to_width(pixels));
}

}  // namespace lapis::core
