// A name, and perhaps a size, that only checkpoints of one kind have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/checkpoint/checkpoint_names.hpp"

namespace lapis::core {

/// Where in a name a piece of it stands.
enum class Where { begin, inside, end, whole };

/// A tensor of a checkpoint by a piece of its name; with `axis`, where it has this size there.
struct TensorMark {
  Where where = Where::whole;
  std::string_view text = {};
  int axis = -1;
  std::int64_t size = 0;
};

/// Whether a tensor has the mark.
inline bool bears(const TensorShape& tensor, const TensorMark& mark) {
  const std::string_view name = tensor.name;
  const bool named = mark.where == Where::begin    ? name.starts_with(mark.text)
                     : mark.where == Where::end    ? name.ends_with(mark.text)
                     : mark.where == Where::inside ? name.find(mark.text) != std::string_view::npos
                                                   : name == mark.text;
  if (!named || mark.axis < 0) return named;
  const auto axis = static_cast<std::size_t>(mark.axis);
  return axis < tensor.shape.size() && tensor.shape[axis] == mark.size;
}

}  // namespace lapis::core
