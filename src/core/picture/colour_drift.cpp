#include "core/picture/colour_drift.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace lapis::core {
namespace {

constexpr double smallest_gain = 0.5;
constexpr double largest_gain = 2;

/// Sums over one channel of two pictures.
struct DriftSums {
  double count = 0;
  double before = 0;
  double after = 0;
  double before_squared = 0;
  double product = 0;
};

std::array<DriftSums, 3> sums_of(const Image& before, const Image& after) {
  assert(before.rgb.size() == after.rgb.size());
  std::array<DriftSums, 3> sums;
  for (std::size_t i = 0; i < before.rgb.size(); ++i) {
    DriftSums& sum = sums[i % 3];
    const double x = before.rgb[i];
    const double y = after.rgb[i];
    sum.count += 1;
    sum.before += x;
    sum.after += y;
    sum.before_squared += x * x;
    sum.product += x * y;
  }
  return sums;
}

ChannelDrift line_through(const DriftSums& sums) {
  if (sums.count == 0) return {};
  const double spread = sums.before_squared - sums.before * sums.before / sums.count;
  const double gain = spread > 0 ? (sums.product - sums.before * sums.after / sums.count) / spread : 1;
  ChannelDrift drift{std::clamp(gain, smallest_gain, largest_gain), 0};
  drift.offset = (sums.after - drift.gain * sums.before) / sums.count;
  return drift;
}

}  // namespace

ColourDrift colour_drift(const Image& before, const Image& after) {
  const std::array<DriftSums, 3> sums = sums_of(before, after);
  return {line_through(sums[0]), line_through(sums[1]), line_through(sums[2])};
}

Image compensated(const Image& picture, const ColourDrift& drift) {
  Image result = picture;
  for (std::size_t i = 0; i < result.rgb.size(); ++i) {
    const ChannelDrift& channel = drift[i % 3];
    const double wanted = (picture.rgb[i] - channel.offset) / channel.gain;
    result.rgb[i] = static_cast<std::uint8_t>(std::lround(std::clamp(wanted, 0.0, 255.0)));
  }
  return result;
}

std::array<double, 3> mean_shift(const Image& before, const Image& after) {
  std::array<double, 3> shift{};
  const std::array<DriftSums, 3> sums = sums_of(before, after);
  for (std::size_t c = 0; c < 3; ++c)
    shift[c] = sums[c].count > 0 ? (sums[c].after - sums[c].before) / sums[c].count : 0;
  return shift;
}

double clipped_share(const Image& before, const Image& after) {
  assert(before.rgb.size() == after.rgb.size());
  const auto at_an_end = [](std::uint8_t value) { return value == 0 || value == 255; };
  std::size_t clipped = 0;
  for (std::size_t i = 0; i < before.rgb.size(); ++i) clipped += at_an_end(after.rgb[i]) && !at_an_end(before.rgb[i]);
  return before.rgb.empty() ? 0 : static_cast<double>(clipped) / static_cast<double>(before.rgb.size());
}

}  // namespace lapis::core
