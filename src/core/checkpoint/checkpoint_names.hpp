// Where a graph's parameters lie in a checkpoint: other programs' names for them, and the tensors that hold several.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lapis::core {

/// A tensor of a graph, which has a dimension at least, or of a checkpoint.
struct TensorShape {
  std::string name;
  std::vector<std::int64_t> shape;
};

/// How many numbers a tensor of this shape has.
std::int64_t count_of(std::span<const std::int64_t> shape);

/// Rows along dimension 0.
struct RowRange {
  std::int64_t first = 0;
  std::int64_t count = 0;
  bool operator==(const RowRange&) const = default;
};

/// Where a parameter lies. Its shape is the graph's: a 1x1 convolution stored for a linear layer, or the other way, is
/// the same bytes under another shape.
struct TensorLocation {
  std::string name;  ///< of the checkpoint's tensor, without the checkpoint's prefix
  std::vector<RowRange>
      rows;                 ///< of that tensor, in this order; empty: all of it. One range is a view, two need a copy
  bool transposed = false;  ///< the tensor is the parameter's transpose
  bool operator==(const TensorLocation&) const = default;
};

/// Who gave the tensors their names.
enum class KeyScheme {
  diffusers,      ///< diffusers and transformers: the graph's own names
  diffusers_old,  ///< diffusers of 2022: query, key, value and proj_attn in a VAE
  clip,           ///< the graph's own names, below the prefixes of whole checkpoints
  clip_level,     ///< for graphs without the level text_model, which most checkpoints have
  clip_bare,      ///< transformers 5, and some checkpoints: without the level text_model
  open_clip,      ///< OpenCLIP: fused q, k and v, a transposed projection
  t5,             ///< the graph's own names, below the prefixes of whole checkpoints
  t5_tied,        ///< the embedding under its other name, encoder.embed_tokens.weight
  ldm_unet,       ///< CompVis, Stability AI and most programs since
  ldm_vae,
  flux,  ///< Black Forest Labs: fused q, k and v; q, k, v and the MLP's first layer in single blocks
};

/// One row per key scheme.
struct KeySchemeRow {
  KeyScheme key_scheme;
  std::string name;
  std::vector<std::string> marks;     ///< the scheme applies to graphs that have one of these tensors; empty: to all
  std::vector<std::string> prefixes;  ///< what such names stand behind in checkpoints
};

/// All key schemes, in the order of `KeyScheme`.
std::span<const KeySchemeRow> key_schemes();

/// The row of a scheme.
const KeySchemeRow& key_scheme_row(KeyScheme key_scheme);

/// The row of that name, as a model's folder records it; null where there is none.
const KeySchemeRow* find_key_scheme(std::string_view name);

/// Whether `key_scheme` has places for the tensors of `graph`.
bool applies(KeyScheme key_scheme, std::span<const TensorShape> graph);

/// The place of each tensor of `graph`, in its order. `key_scheme` must apply to it.
std::vector<TensorLocation> places(KeyScheme key_scheme, std::span<const TensorShape> graph);

/// The tensors that a checkpoint of `key_scheme` holds for `graph`, each once, without a prefix; those that are rows of
/// one another put together.
std::vector<TensorShape> checkpoint_tensors(KeyScheme key_scheme, std::span<const TensorShape> graph);

}  // namespace lapis::core
