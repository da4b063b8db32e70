// Scales that quantized checkpoints keep beside their weights: which tensor scales which weight, and how it lies over
// it.
//
//   W[r, c] = stored[r, c] x scale[r / block rows, c / block columns]
//
// Every form is such a grid over the stored tensor, taken as a matrix of its first dimension and all others: one number
// for all of it, one a row, one a block. Names are those of ComfyUI (scaled_fp8, comfy_quant), musubi-tuner,
// convert_to_quant, Hugging Face (fp8, fbgemm_fp8, compressed-tensors) and ModelOpt. No number is looked at here.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lapis::core {

/// A tensor as a file's header has it; `dtype` by the format's name.
struct StoredTensor {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
};

/// What a checkpoint says of one layer's quantization: a `comfy_quant` tensor, or a layer of `_quantization_metadata`.
struct LayerNote {
  std::string layer;       ///< "double_blocks.0.img_mlp.0"
  std::string format;      ///< "float8_e4m3fn"
  std::int64_t block = 0;  ///< side of a block; 0: not said
  std::string unknown;     ///< a key that changes what the numbers mean, for all that lapis knows; "": none
};

/// The scales of one weight.
struct WeightScale {
  std::string scale;      ///< the tensor that holds them: F32, F16, BF16 or F64
  std::string factor;     ///< a second one, of one number, that multiplies them; "": none
  std::int64_t rows = 1;  ///< of the grid, as the scales are stored
  std::int64_t columns = 1;
  std::int64_t block_rows = 1;  ///< that one scale is for; the last block of a row or column may be cut short
  std::int64_t block_columns = 1;
  bool integers = false;  ///< the weight is I8, and a note says how

  bool operator==(const WeightScale&) const = default;
};

/// Why scales cannot be applied.
struct ScaleFault {
  std::string tensor;
  std::string what;  ///< "tensor X is ...", without a full stop
};

/// What a checkpoint's scales come to.
struct WeightScales {
  std::map<std::string, WeightScale> weights;  ///< by the weight's name
  std::set<std::string> notes;  ///< tensors that are no weights but tell of them: all that were understood
  std::vector<ScaleFault> faults;
};

/// Whether a tensor of that name tells of a weight: a scale, a marker, a note.
bool is_weight_note(std::string_view name);

/// The layer of a `comfy_quant` tensor's name; "" for another name.
std::string noted_layer(std::string_view name);

/// Whether the scales of a quantization are among those found here, by what Hugging Face's configurations call it
/// (`quant_method`): "fp8", "compressed-tensors". What its scales are is for `find_weight_scales` to say.
bool has_scales(std::string_view quant_method);

/// Finds the scales of all weights. What cannot be applied, contradicts itself, or is half there, is a fault.
WeightScales find_weight_scales(std::span<const StoredTensor> tensors, std::span<const LayerNote> notes);

}  // namespace lapis::core
