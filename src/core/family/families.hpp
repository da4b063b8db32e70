// The families of models lapis runs: every number of them, once.
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
  std::vector<Port> optional_inputs = {};               ///< behind the others in models that have them, all or none
  std::vector<std::vector<Port>> reduced_outputs = {};  ///< in their place, where a part gives back less that will do
};

/// One dimension of an input or output of a part.
struct PortSize {
  std::string part;
  std::string port;
  std::size_t index;
};

/// A dimension that must be the sum of others although they belong to other parts.
struct SharedSize {
  std::vector<PortSize> terms;
  PortSize sum;
};

/// A tokenizer that every model of a family has.
struct TokenizerRow {
  std::string name;
  TokenizerKind kind;
};

/// What a family's networks want to be fed: the engine has one adapter for each.
enum class Architecture { sd15, sdxl, flux };

/// What the guidance of a job is to a family's denoisers. `passes`: the weight of the prompt's pass against the
/// negative's. `input`: a number that a distilled denoiser reads, where it has the input "guidance" at all ("dev" has,
/// "schnell" has not); two passes are there too, with a weight of their own.
enum class GuidanceKind { passes, input };

/// One row per family.
struct FamilyRow {
  std::string name;
  Architecture architecture;
  std::string space;  ///< id of a row of `spaces()` (core/family/spaces.hpp)
  int patch;          ///< the denoiser reads squares of patch x patch latent cells as tokens; 1: cells
  int size_multiple;  ///< a picture's width and height are multiples of it
  std::vector<Prediction> predictions;  ///< what its denoisers may predict
  GuidanceKind guidance;
  int clip_skip;           ///< layer of its CLIP text encoders from their end, 1: the last; 0: has none to skip
  bool size_conditioning;  ///< its denoisers read the picture's original size and where it was cropped
  std::vector<TokenizerRow> tokenizers;
  std::vector<PartRow> parts;
  std::vector<SharedSize> shared_sizes;
};

/// All families, in the order in which people are shown them.
std::span<const FamilyRow> families();

/// The row of this name; null where there is none.
const FamilyRow* find_family(std::string_view name);

/// The part of this name; null where the family has none.
const PartRow* find_part(const FamilyRow& family, std::string_view name);

/// Whether the denoiser of `model` reads guidance as a number.
bool has_guidance_input(const Model& model);

/// The side in pixels of what is one token to a denoiser of `model`'s family, or one latent cell where its patch is 1.
int token_side(const Model& model);

/// How many tokens a denoiser of `model`'s family makes of a picture; latent cells where its patch is 1.
int picture_tokens(const Model& model, int width, int height);

/// "epsilon", "v" or "flow": as model.json names it.
std::string_view prediction_name(Prediction prediction);

/// How many tokens of a prompt `facts.length` has room for: start and end are counted in it.
std::size_t prompt_tokens(const TokenizerFacts& facts);

/// "clip" or "t5": as model.json names it.
std::string_view tokenizer_kind_name(TokenizerKind kind);

}  // namespace lapis::core
