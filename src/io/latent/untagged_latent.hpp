// Latents that do not say their space, read for what their numbers look like.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/latent/space_match.hpp"
#include "io/latent/latent_formats.hpp"
#include "io/latent/latent_statistics.hpp"

namespace lapis::io {

/// Whether a latent's space is said, by the file or by the user. Throws as `open_latent_container`.
bool has_space(std::span<const std::byte> file, const std::string& name, const LatentHints& hints);

/// What is known of a latent without its space.
struct UntaggedLatent {
  ForeignPassport latent;  ///< its space is made up; so are units that nothing says, and sides without `has_size`
  LatentStatistics statistics;
  std::vector<core::SpaceMatch> fits;  ///< advice: nothing acts on it
  bool has_size = true;                ///< false: packed tokens whose picture's size nobody says
};

/// Looks at `most` numbers of a latent whose space nobody says, NaN and Inf included. Throws Error{input} as
/// `read_passport`, and for a shape that no space has.
UntaggedLatent read_untagged(std::span<const std::byte> file, const std::string& name, const LatentHints& hints,
                             std::int64_t most = all_numbers);

}  // namespace lapis::io
