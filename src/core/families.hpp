// The families of models lapis runs and the spaces their latents live in: every number of them, once.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lapis/model.hpp"
#include "lapis/sampling.hpp"
#include "lapis/space.hpp"

namespace lapis::core {

/// One part of a family, with the ports its adapter calls it by. In a shape a number binds the model, a word is free.
struct PartRow {
  std::string name;
  bool required;
  std::vector<Port> inputs;
  std::vector<Port> outputs;
};

/// Two dimensions that must be one size although they belong to two parts, each given by part, port and index.
struct SharedSize {
  std::string part;
  std::string port;
  std::size_t index;
  std::string other_part;
  std::string other_port;
  std::size_t other_index;
};

/// What a family's networks want to be fed: the engine has one adapter for each.
enum class Architecture { sd15 };

/// One row a family.
struct FamilyRow {
  std::string name;
  Architecture architecture;
  std::string space;                    ///< id of a row of `spaces()`
  int size_multiple;                    ///< a picture's width and height are multiples of it
  std::vector<Prediction> predictions;  ///< what its denoisers may predict
  std::vector<std::string> tokenizers;  ///< names of those every model has
  int clip_skip;  ///< layer of its CLIP text encoders from their end, 1: the last; 0: has none to skip
  std::vector<PartRow> parts;
  std::vector<SharedSize> shared_sizes;
};

/// The spaces, each with no lineage: that is a model's own. scale and shift are those of the VAEs' published configs.
std::span<const Space> spaces();

std::span<const FamilyRow> families();

/// The row of this name; null where there is none.
const Space* find_space(std::string_view id);
const FamilyRow* find_family(std::string_view name);
const PartRow* find_part(const FamilyRow& family, std::string_view name);

}  // namespace lapis::core
