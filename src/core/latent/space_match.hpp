// Which spaces a latent of unknown origin fits: advice for people, on which nothing ever acts.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/latent/channel_statistics.hpp"
#include "lapis/latent.hpp"

namespace lapis::core {

/// One reading of the numbers.
struct SpaceMatch {
  std::string space;  ///< `space_name`
  Units units = Units::model;
  double likelihood = 0;  ///< its logarithm, good for an order among readings and for nothing else
};

/// What the format of a file says, beside its numbers.
struct FormatFacts {
  std::optional<Units> units = {};
  bool packed = false;  ///< in tokens of several cells, as only some spaces are
};

/// Every space of the table whose channels fit, in either unit or the one that is known, the likeliest first: each
/// channel's mean and deviation against what is known of the lineage (`LineageRow::spread`), or against unit spread in
/// model units where nothing is. Every lineage that is known to have a space's numbers is a reading of its own. None
/// where numbers say nothing: a channel is one number throughout, or has none that is finite.
std::vector<SpaceMatch> fitting_spaces(std::span<const ChannelStatistics> channels, const FormatFacts& facts = {});

/// The likeliest readings in words, behind "its numbers": "fit sd15 in model units, sdxl in model units and 3 others";
/// or why they fit none: "are all zero".
std::string matches_text(std::span<const SpaceMatch> matches, std::span<const ChannelStatistics> channels);

}  // namespace lapis::core
