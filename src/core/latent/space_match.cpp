#include "core/latent/space_match.hpp"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>

#include "core/family/spaces.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"

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

/// How far one picture's channels lie from those of many: of the deviation's logarithm, and of the mean in deviations.
/// Wider where the lineage was never measured and unit spread stands for it.
struct Tolerance {
  double log_deviation;
  double mean;
};
constexpr Tolerance measured = {0.35, 0.6};
constexpr Tolerance assumed = {0.6, 1.0};

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
  const Tolerance tolerance = known ? measured : assumed;
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

std::vector<SpaceMatch> fitting_spaces(std::span<const ChannelStatistics> channels, const FormFacts& facts) {
  if (std::any_of(channels.begin(), channels.end(), is_flat)) return {};
  std::vector<SpaceMatch> matches;
  for (const Space& space : candidates(channels.size(), facts.packed)) {
    for (const Units units : {Units::model, Units::vae}) {
      if (facts.units.value_or(units) != units) continue;
      matches.push_back({space_name(space), units, log_likelihood(channels, space, units)});
    }
  }
  const auto likelier = [](const SpaceMatch& a, const SpaceMatch& b) { return a.confidence > b.confidence; };
  std::stable_sort(matches.begin(), matches.end(), likelier);
  double sum = 0;
  const double highest = matches.empty() ? 0 : matches.front().confidence;
  for (SpaceMatch& match : matches) sum += match.confidence = std::exp(match.confidence - highest);
  for (SpaceMatch& match : matches) match.confidence /= sum;
  return matches;
}

std::string matches_text(std::span<const SpaceMatch> matches, std::span<const ChannelStatistics> channels) {
  if (const std::string flat = flat_text(channels); !flat.empty()) return sentence("{}: no space can be told", flat);
  constexpr std::size_t most = 5;
  constexpr double least = 0.01;
  if (matches.empty()) return "fit no space that lapis knows: none has as many channels";
  std::size_t likely = 0;
  while (likely < matches.size() && matches[likely].confidence >= least) ++likely;
  const std::size_t shown = std::min(likely, most);
  std::vector<std::string> fitting;
  for (const SpaceMatch& match : matches.first(shown)) {
    fitting.push_back(sentence("{} in {} units ({} %)", match.space, match.units == Units::model ? "model" : "raw VAE",
                               std::lround(match.confidence * 100)));
  }
  const std::size_t others = likely - shown;
  const std::string rest = others > 0 ? sentence(" and {}", count_text(others, "other")) : "";
  const std::string lost = not_finite_text(channels);
  return lost.empty() ? sentence("fit {}{}", joined(fitting), rest)
                      : sentence("fit {}{}; {} are left out", joined(fitting), rest, lost);
}

}  // namespace lapis::core
