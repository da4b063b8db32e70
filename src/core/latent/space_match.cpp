#include "core/latent/space_match.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <string>

#include "core/family/spaces.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"

namespace lapis::core {
namespace {

/// How far one picture's channels lie from those of many: of the deviation's logarithm, and of the mean in deviations.
/// Wider where the lineage was never measured and unit spread stands for it.
struct ChannelTolerance {
  double log_deviation;
  double mean;
};
constexpr ChannelTolerance measured_tolerance = {0.35, 0.6};
constexpr ChannelTolerance assumed = {0.6, 1.0};

/// The line from a channel's numbers to raw VAE values: v = m * slope + offset.
struct ToRaw {
  double slope;
  double offset;
};

ToRaw to_raw(const Space& space, std::size_t channel) {
  if (space.mean.empty()) return {1 / space.scale, space.shift};
  return {space.deviation[channel] / space.scale, space.mean[channel]};
}

/// Logarithm of how likely such channels are, if these are numbers of `space` in `units`. Channels of one picture rise
/// and fall together: all of them say as much as two that did not.
double log_likelihood(std::span<const ChannelStatistics> channels, const Space& space, Units units) {
  const LineageRow* lineage = find_lineage(space.lineage);
  const bool known = lineage != nullptr && lineage->spread.size() == channels.size();
  const Space& home = known ? find_space(lineage->space)->space : space;
  const ChannelTolerance tolerance = known ? measured_tolerance : assumed;
  double sum = 0;
  for (std::size_t c = 0; c < channels.size(); ++c) {
    const ToRaw reading = units == Units::vae ? ToRaw{1, 0} : to_raw(space, c);
    const ToRaw expected = to_raw(home, c);
    const ChannelSpread spread = known ? lineage->spread[c] : ChannelSpread{0, 1};
    const double usual_deviation = spread.deviation * expected.slope;
    const double usual_mean = spread.mean * expected.slope + expected.offset;
    const double deviation = std::max(channels[c].deviation, 1e-9) * reading.slope;
    const double mean = channels[c].mean * reading.slope + reading.offset;
    const double off_deviation = std::log(deviation / usual_deviation) / tolerance.log_deviation;
    const double off_mean = (mean - usual_mean) / (usual_deviation * tolerance.mean);
    const double density = reading.slope / (usual_deviation * tolerance.mean * tolerance.log_deviation);
    sum += std::log(density) - (off_deviation * off_deviation + off_mean * off_mean) / 2;
  }
  return 2 * sum / static_cast<double>(channels.size());
}

/// Every space of this many channels, with each lineage that is known to have its numbers.
std::vector<Space> candidates(std::size_t channels, bool packed) {
  std::vector<Space> found;
  for (const SpaceRow& row : spaces()) {
    if (static_cast<std::size_t>(row.space.channels) != channels || (packed && row.packing == 1)) continue;
    found.push_back(row.space);
    for (const LineageRow& lineage : lineages()) {
      if (lineage.space != row.space.id || lineage.name == row.space.lineage) continue;
      found.push_back(row.space);
      found.back().lineage = lineage.name;
    }
  }
  return found;
}

/// One number throughout, or none that is finite: what no picture's channel is, and what fits every space alike.
bool is_flat(const ChannelStatistics& channel) { return channel.min == channel.max; }

/// "NaN or Inf in 3 of 256 values"; "" where there are none.
std::string not_finite_text(std::span<const ChannelStatistics> channels) {
  std::int64_t lost = 0;
  std::int64_t all = 0;
  for (const ChannelStatistics& channel : channels) {
    lost += channel.not_finite;
    all += channel.count;
  }
  return lost == 0 ? "" : sentence("NaN or Inf in {} of {} values", lost, all);
}

/// What channels are that say nothing; "" where all of them say something.
std::string flat_text(std::span<const ChannelStatistics> channels) {
  const auto flat = std::count_if(channels.begin(), channels.end(), is_flat);
  if (flat == 0) return "";
  const std::string lost = not_finite_text(channels);
  if (!lost.empty()) return sentence("are {}", lost);
  const auto is_zero = [](const ChannelStatistics& channel) { return channel.min == 0 && channel.max == 0; };
  if (std::all_of(channels.begin(), channels.end(), is_zero)) return "are all zero";
  return sentence("are one number throughout in {} of {} channels", flat, channels.size());
}

}  // namespace

std::vector<SpaceMatch> fitting_spaces(std::span<const ChannelStatistics> channels, const FormatFacts& facts) {
  if (std::any_of(channels.begin(), channels.end(), is_flat)) return {};
  std::vector<SpaceMatch> matches;
  for (const Space& space : candidates(channels.size(), facts.packed)) {
    for (const Units units : {Units::model, Units::vae}) {
      if (facts.units.value_or(units) != units) continue;
      matches.push_back({space_name(space), units, log_likelihood(channels, space, units)});
    }
  }
  std::ranges::stable_sort(matches, std::greater(), &SpaceMatch::likelihood);
  return matches;
}

std::string matches_text(std::span<const SpaceMatch> matches, std::span<const ChannelStatistics> channels) {
  if (const std::string flat = flat_text(channels); !flat.empty()) return sentence("{}: no space can be told", flat);
  constexpr std::size_t most = 5;
  const double least = std::log(0.01);  // against the likeliest
  if (matches.empty()) return "fit no space that lapis knows: none has as many channels";
  const auto is_likely = [&](const SpaceMatch& match) {
    return match.likelihood - matches.front().likelihood >= least;
  };
  const auto likely = static_cast<std::size_t>(std::ranges::count_if(matches, is_likely));
  std::vector<std::string> fitting;
  for (const SpaceMatch& match : matches.first(std::min(likely, most))) {
    fitting.push_back(sentence("{} in {} units", match.space, match.units == Units::model ? "model" : "raw VAE"));
  }
  const std::size_t others = likely - fitting.size();
  const std::string rest = others > 0 ? sentence(" and {}", count_text(others, "other")) : "";
  const std::string lost = not_finite_text(channels);
  return lost.empty() ? sentence("fit {}{}", joined(fitting), rest)
                      : sentence("fit {}{}; {} are left out", joined(fitting), rest, lost);
}

}  // namespace lapis::core
