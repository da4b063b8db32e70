// The latent spaces there are, with every constant of them, once.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lapis/space.hpp"

namespace lapis::core {

/// One row per space. Its lineage is that of the published weights; two rows of one lineage hold the same raw VAE
/// values.
struct SpaceRow {
  Space space;
  int packing;          ///< diffusers hands its latents over in tokens of packing x packing cells; 1: as they are
  std::string used_by;  ///< models whose latents live here, for people
  std::string source;   ///< where the numbers stand
};

/// Mean and deviation of a channel's values, in model units, over many pictures.
struct ChannelSpread {
  double mean;
  double deviation;
};

/// One row per lineage of VAEs: what is known of its values beyond the numbers of its space.
struct LineageRow {
  std::string name;
  std::string space;                       ///< id of the row of `spaces()` whose numbers its config has
  std::vector<std::array<double, 3>> rgb;  ///< colour of each channel, about [-1, 1] in sum; empty: not known
  std::array<double, 3> rgb_bias;
  std::vector<ChannelSpread> spread;  ///< one a channel; empty: not measured
  std::string source;                 ///< where rgb and spread come from
};

/// All rows, in the order in which people are shown them.
std::span<const SpaceRow> spaces();
std::span<const LineageRow> lineages();

/// The row of this id or name; null where there is none.
const SpaceRow* find_space(std::string_view id);
const LineageRow* find_lineage(std::string_view name);

/// "sd15:tiny-sd15", and "sd15" where lineage and id are one word: as messages, passports and --space have it. A VAE
/// whose lineage nothing says (it is empty) has the id alone.
std::string space_name(const Space& space);

/// The space of such a name: "sd15", or "sd15:LINEAGE" with any word for a lineage.
/// Throws Error{usage} with the ids there are and the nearest.
Space parse_space(std::string_view name);

/// "4 ch, 1/8, scale 0.18215, lineage tiny-sd15", with shift or means where there are any: one side of a comparison.
std::string space_numbers(const Space& space);

/// Ids of the rows that have these numbers, whatever id and lineage say: all that a VAE's config tells of its space.
std::vector<std::string> spaces_with_numbers(const Space& space);

/// Whether raw VAE values of the two are the same values: channels, downscale and lineage agree.
bool same_values(const Space& a, const Space& b);

/// Whether model values of the two are the same values: `same_values`, and scale, shift, means and deviations agree.
bool same_numbers(const Space& a, const Space& b);

}  // namespace lapis::core
