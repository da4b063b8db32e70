#include "core/latent/channel_statistics.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <limits>

namespace lapis::core {
namespace {

constexpr std::size_t lanes = 8;
constexpr std::size_t block = 1024;  // values that stay in the nearest cache from the test to the sums
constexpr float infinity = std::numeric_limits<float>::infinity();

/// Sums of one channel, in lanes that do not wait for each other.
struct Sums {
  std::array<double, lanes> sum{};
  std::array<double, lanes> squares{};
  std::array<float, lanes> min;
  std::array<float, lanes> max;
  std::int64_t not_finite = 0;

  Sums() {
    min.fill(infinity);
    max.fill(-infinity);
  }
};

/// Whether none of `values` is NaN or Inf; their count is a multiple of `lanes`.
bool all_finite(std::span<const float> values) {
  // Without its sign bit a number's exponent of ones carries over into that bit when one is added to it.
  std::array<std::uint32_t, lanes> carried{};
  for (std::size_t i = 0; i < values.size(); i += lanes) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      carried[lane] |= (std::bit_cast<std::uint32_t>(values[i + lane]) & 0x7FFFFFFFU) + 0x00800000U;
    }
  }
  std::uint32_t any = 0;
  for (const std::uint32_t each : carried) any |= each;
  return (any & 0x80000000U) == 0;
}

/// Adds finite values; their count is a multiple of `lanes`. One loop a sum: the compiler turns each into vectors.
void add_finite(Sums& total, std::span<const float> values) {
  Sums sums = total;
  for (std::size_t i = 0; i < values.size(); i += lanes) {
    const float* const at = values.data() + i;
    for (std::size_t lane = 0; lane < lanes; ++lane) sums.sum[lane] += static_cast<double>(at[lane]);
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      sums.squares[lane] += static_cast<double>(at[lane]) * static_cast<double>(at[lane]);
    }
    for (std::size_t lane = 0; lane < lanes; ++lane)
      sums.min[lane] = at[lane] < sums.min[lane] ? at[lane] : sums.min[lane];
    for (std::size_t lane = 0; lane < lanes; ++lane)
      sums.max[lane] = at[lane] > sums.max[lane] ? at[lane] : sums.max[lane];
  }
  total = sums;
}

void add_any(Sums& sums, std::span<const float> values) {
  for (const float value : values) {
    if (!std::isfinite(value)) {
      ++sums.not_finite;
      continue;
    }
    sums.sum[0] += static_cast<double>(value);
    sums.squares[0] += static_cast<double>(value) * static_cast<double>(value);
    sums.min[0] = std::min(sums.min[0], value);
    sums.max[0] = std::max(sums.max[0], value);
  }
}

void add_plane(Sums& sums, std::span<const float> plane) {
  while (plane.size() >= lanes) {
    const std::span<const float> part = plane.first(std::min(plane.size() / lanes * lanes, block));
    if (all_finite(part)) {
      add_finite(sums, part);
    } else {
      add_any(sums, part);
    }
    plane = plane.subspan(part.size());
  }
  add_any(sums, plane);
}

ChannelStatistics statistics_of(const Sums& sums, std::int64_t count) {
  ChannelStatistics result;
  result.not_finite = sums.not_finite;
  result.count = count;
  const auto counted = static_cast<double>(count - result.not_finite);
  if (counted == 0) return result;
  double sum = 0;
  double squares = 0;
  for (std::size_t lane = 0; lane < lanes; ++lane) {
    sum += sums.sum[lane];
    squares += sums.squares[lane];
  }
  result.mean = sum / counted;
  result.deviation = std::sqrt(std::max(0.0, squares / counted - result.mean * result.mean));
  result.min = *std::min_element(sums.min.begin(), sums.min.end());
  result.max = *std::max_element(sums.max.begin(), sums.max.end());
  return result;
}

}  // namespace

std::vector<ChannelStatistics> channel_statistics(std::span<const float> values,
                                                  const std::array<std::int64_t, 4>& shape) {
  const auto channels = static_cast<std::size_t>(shape[1]);
  const auto cells = static_cast<std::size_t>(shape[2] * shape[3]);
  assert(values.size() == static_cast<std::size_t>(shape[0]) * channels * cells);
  std::vector<ChannelStatistics> result;
  for (std::size_t c = 0; c < channels; ++c) {
    Sums sums;
    for (std::size_t plane = c; cells > 0 && plane < values.size() / cells; plane += channels) {
      add_plane(sums, values.subspan(plane * cells, cells));
    }
    result.push_back(statistics_of(sums, shape[0] * shape[2] * shape[3]));
  }
  return result;
}

}  // namespace lapis::core
