// Tensors of a checkpoint that no graph needs: which of them leave the rest what it is, and which do not.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint_kind.hpp"
#include "core/tensor_mark.hpp"

namespace lapis::core {

enum class Leftover {
  harmless,  ///< the rest means the same without it
  heeded,    ///< it changes what the rest means, and lapis does what it says
  refused,   ///< it changes what the rest means, and lapis cannot do what it says
};

/// One row a kind of tensor. Those that mark a known relative (core/known_relatives.hpp) need none: they are refused
/// with its title.
struct LeftoverRow {
  Leftover kind;
  TensorMark mark;
  std::string_view what;         ///< "scales of fp8 weights"
  std::string_view advice = {};  ///< of one that is refused
};

/// The first row that fits counts.
std::span<const LeftoverRow> leftover_rows();
const LeftoverRow* find_leftover_row(const TensorShape& tensor);

/// What the names of a part's tensors begin with in a checkpoint. A tensor that begins so and that its graph does not
/// need was made by the network that the part is a piece of.
std::vector<std::string> realm_of(const HeldGraph& held, const KnownGraph& graph);

/// Words that follow the file's name, and what to do.
struct LeftoverFault {
  std::string problem;
  std::string advice;
};

/// Why the parts of a checkpoint are not all of what was trained: the first of its leftovers that is refused, the mark
/// of a relative, or unknown and in the realm of a part. None where nothing speaks against the parts.
std::optional<LeftoverFault> leftover_fault(std::span<const TensorShape> leftovers, std::span<const std::string> realms,
                                            const std::string& file);

}  // namespace lapis::core
