// Which spaces a latent of unknown origin fits: advice for people, on which nothing ever acts.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lapis/latent.hpp"

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

/// One reading of the numbers. Confidences compare the readings that the table has with each other: a latent of a space
/// that is not in it has some too.
struct SpaceMatch {
  std::string space;  ///< `space_name`
  Units units = Units::model;
  double confidence = 0;  ///< 0 to 1; those of all readings add up to 1
};

/// What the form of a file tells, beside its numbers.
struct FormFacts {
  std::optional<Units> units = {};
  bool packed = false;  ///< in tokens of several cells, as only some spaces are
};

/// Every space of the table whose channels fit, in either unit or the one that is known, the likeliest first: each
/// channel's mean and deviation against what is known of the lineage (`LineageRow::spread`), or against unit spread in
/// model units where nothing is. Every lineage that is known to have a space's numbers is a reading of its own. None
/// where numbers say nothing: a channel is one number throughout, or has none that is finite.
std::vector<SpaceMatch> fitting_spaces(std::span<const ChannelStatistics> channels, const FormFacts& facts = {});

/// The likeliest readings in words, behind "its numbers": "fit sd15 in model units (41 %), sdxl in model units (38 %)
/// and 3 others"; or why no space can be told: "are all zero".
std::string matches_text(std::span<const SpaceMatch> matches, std::span<const ChannelStatistics> channels);

}  // namespace lapis::core
