// The numbers of a latent file, looked at where they lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "core/latent/space_match.hpp"
#include "io/latent/latent_formats.hpp"

namespace lapis::io {

/// How many numbers are looked at.
constexpr std::int64_t all_numbers = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t quick_look = std::int64_t{1} << 18;  ///< a few milliseconds' worth

/// Statistics of a whole latent, or of a sample of its rows.
struct LatentStatistics {
  std::vector<core::ChannelStatistics> channels;
  std::int64_t row_step = 1;  ///< every so many rows of cells (of tokens, in the packed layout) were looked at; 1: all
};

/// Statistics of each channel of the latent whose passport this is, NaN and Inf counted. Where it has more than `most`
/// numbers, rows that lie evenly over it stand for all: about as many as `most`, and at least one a channel. Numbers
/// that the file holds as they are needed are not copied.
LatentStatistics read_statistics(std::span<const std::byte> file, const std::string& name,
                                 const ForeignPassport& passport, std::int64_t most = all_numbers);

}  // namespace lapis::io
