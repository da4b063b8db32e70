// Mean, spread and range of each channel of a latent.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace lapis::core {

/// Statistics of one channel over a batch. NaN and Inf are counted and left out of the other numbers, which are 0 where
/// no value is finite. The deviation is that of the values themselves: divided by their count, not by one less.
struct ChannelStatistics {
  double mean = 0;
  double deviation = 0;
  float min = 0;
  float max = 0;
  std::int64_t not_finite = 0;
  std::int64_t count = 0;  ///< of all values, NaN and Inf included
};

/// The statistics of each channel of values [B, C, h, w], in one pass in fp64.
std::vector<ChannelStatistics> channel_statistics(std::span<const float> values,
                                                  const std::array<std::int64_t, 4>& shape);

}  // namespace lapis::core
