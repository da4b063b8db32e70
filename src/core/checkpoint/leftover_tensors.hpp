// Tensors of a checkpoint that no graph needs: which of them leave the rest what it is, and which do not.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/checkpoint_kind.hpp"
#include "core/checkpoint/tensor_mark.hpp"

namespace lapis::core {

/// Marks of those without which the rest means the same. Any other is refused where it marks a known relative
/// (core/checkpoint/known_relatives.hpp), or where it belongs to a part (`realm_of`).
std::span<const TensorMark> harmless_leftovers();

/// What the names of a part's tensors begin with in a checkpoint: its prefix, or their first levels; of a denoiser
/// without a prefix "", for what stands beside one that stands alone is of it. A tensor that begins so and that its
/// graph does not need was made by the network that the part is a piece of.
std::vector<std::string> realm_of(const GraphMatch& match, const KnownGraph& graph);

/// Words that follow the file's name, and what to do.
struct LeftoverFault {
  std::string problem;
  std::string advice;
};

/// Why the parts of a checkpoint are not all of what was trained: one of its leftovers marks a relative, or is unknown
/// and in the realm of a part. Harmless ones and those that speak of sampling (core/checkpoint/sampling_claims.hpp)
/// pass. None where nothing speaks against the parts.
std::optional<LeftoverFault> leftover_fault(std::span<const TensorShape> leftovers, std::span<const std::string> realms,
                                            const std::string& file);

}  // namespace lapis::core
