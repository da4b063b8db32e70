// Files that people have beside checkpoints that lapis renders with, and take for them: what each is, and what lapis
// does with it.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "core/tensor_mark.hpp"

namespace lapis::core {

/// One row a kind of file, or a way of telling it.
struct Relative {
  std::string_view title;           ///< "a ControlNet"; follows "FILE is"
  std::string_view advice;          ///< what lapis does with it and what to do; FILE stands for its name
  std::array<TensorMark, 3> marks;  ///< all are there; those without a text count for nothing
};

/// The first row that fits counts.
std::span<const Relative> known_relatives();

/// What the names and shapes of a file's tensors say it is, other than something that lapis makes a model of; null
/// where nothing tells.
const Relative* find_relative(std::span<const TensorShape> checkpoint);

/// The same from marks alone: a few tensors of a file may have the shapes of something that the whole file is not.
const Relative* find_marked_relative(std::span<const TensorShape> tensors);

/// The advice with the file's name in it.
std::string advice_for(const Relative& relative, const std::string& file);

}  // namespace lapis::core
