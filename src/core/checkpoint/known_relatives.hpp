// Files that people have beside checkpoints that lapis renders with, and take for them: what each is, and what lapis
// does with it.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>

#include "core/checkpoint/tensor_mark.hpp"

namespace lapis::core {

/// One row per kind of file, or a way of telling it.
struct Relative {
  std::string_view title;             ///< "a ControlNet"; follows "FILE is"
  std::string_view advice;            ///< what lapis does with it and what to do; FILE stands for its name
  std::array<TensorMark, 3> marks{};  ///< all are there; those without a text count for nothing
  std::array<TensorMark, 2> lacks{};  ///< none is there: a larger network would have them
};

/// All rows, of which the first that fits counts.
std::span<const Relative> known_relatives();

/// What the names and shapes of a file's tensors say it is, other than something that lapis makes a model of; null
/// where nothing tells.
const Relative* find_relative(std::span<const TensorShape> checkpoint);

/// What the marks of some tensors say that their file is; null where none does. Shapes alone count for nothing here: a
/// few tensors may have those of something that the whole file is not.
const Relative* find_marked_relative(std::span<const TensorShape> tensors);

/// One that has the names and shapes of a graph in models/graphs, and that a word alone tells from it.
struct Twin {
  std::string_view graph;
  std::string_view word;  ///< in lower case, in its name or what it says of itself
  std::string_view own;   ///< the word that tells the one which the graph is of; empty: it needs none
  Relative relative;
};

std::span<const Twin> twins();

/// The twin of `graph` that any of `texts` names: the name of a file or folder, a title in its metadata, a pipeline's
/// class. Null where none does.
const Relative* find_twin(std::string_view graph, std::span<const std::string> texts);

/// The twin of `graph` from which none of `texts` tells it; null where one does, or where there is no twin.
const Relative* undecided_twin(std::string_view graph, std::span<const std::string> texts);

/// What a folder of diffusers is by the class of its pipeline (`_class_name` of model_index.json), where lapis makes no
/// model of such folders; null for other classes.
const Relative* find_pipeline(std::string_view class_name);

/// The advice with the file's name in it.
std::string advice_for(const Relative& relative, const std::string& file);

}  // namespace lapis::core
