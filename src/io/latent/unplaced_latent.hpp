// Latents that do not say where they live, read for what their numbers look like.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/latent/space_fit.hpp"
#include "io/latent/latent_forms.hpp"
#include "io/latent/latent_statistics.hpp"

namespace lapis::io {

/// Whether a latent's space is said, by the file or by the user. Throws as `detect_form`.
bool says_space(std::span<const std::byte> file, const std::string& name, const ToldFacts& told);

/// What can be told of a latent without its space.
struct UnplacedLatent {
  ForeignPassport latent;  ///< its space is made up; so are units that nothing says, and sides without `knows_size`
  LatentStatistics statistics;
  std::vector<core::SpaceFit> fits;  ///< advice: nothing acts on it
  bool knows_size = true;            ///< false: packed tokens whose picture's size nobody told
};

/// Looks at `most` numbers of a latent whose space nobody says, NaN and Inf included. Throws Error{input} as
/// `read_passport`, and for a shape that no space has.
UnplacedLatent read_unplaced(std::span<const std::byte> file, const std::string& name, const ToldFacts& told,
                             std::int64_t most = all_numbers);

}  // namespace lapis::io
