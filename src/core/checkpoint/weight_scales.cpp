#include "core/checkpoint/weight_scales.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <utility>

#include "core/checkpoint/checkpoint_names.hpp"
#include "core/text/sentence.hpp"

namespace lapis::core {
namespace {

using Shape = std::vector<std::int64_t>;

enum class Role {
  scale,   ///< of a weight
  factor,  ///< musubi-tuner's second level: one number for all blocks of a weight
  unused,  ///< of quantized activations, which lapis has not: it changes nothing about a weight
  note,    ///< ComfyUI's JSON about a layer
  marker,  ///< ComfyUI's word that a checkpoint has scales
  foreign  ///< of a scheme that lapis does not compute
};

struct ScaleEnding {
  std::string_view text;
  Role role;
  std::string_view scheme = {};  ///< of a foreign one
  std::string_view weight = {};  ///< what of the ending is the layer's name
};

// The first row that fits counts: what ends as others do stands before them.
constexpr std::array scale_endings = {
    ScaleEnding{".scale_weight_tensor", Role::factor},
    ScaleEnding{".scale_weight", Role::scale},
    ScaleEnding{"_scale_weight", Role::scale},
    ScaleEnding{".weight_scale_inv", Role::scale},
    ScaleEnding{"_weight_scale_inv", Role::scale},
    ScaleEnding{".weight_scale", Role::scale},
    ScaleEnding{"_weight_scale", Role::scale},
    ScaleEnding{"text_projection_scale", Role::scale, "", "text_projection"},
    ScaleEnding{".input_scale", Role::unused},
    ScaleEnding{".input_scale_inv", Role::unused},
    ScaleEnding{".input_scale_ub", Role::unused},
    ScaleEnding{".scale_input", Role::unused},
    ScaleEnding{".activation_scale", Role::unused},
    ScaleEnding{".output_scale", Role::unused},
    ScaleEnding{".comfy_quant", Role::note},
    ScaleEnding{"scaled_fp8", Role::marker},
    ScaleEnding{".weight_scale_2", Role::foreign, "nvfp4 (blocks of 4-bit numbers)"},
    ScaleEnding{".weight_scalar", Role::foreign, "hybrid mxfp8"},
    ScaleEnding{".pre_quant_scale", Role::foreign, "AWQ, which scales what comes into a layer"},
    ScaleEnding{".weight_zero_point", Role::foreign, "integers with zero points"},
    ScaleEnding{".weight_packed", Role::foreign, "integers that compressed-tensors packed"},
    ScaleEnding{".weight_s_rel", Role::foreign, "4-bit integers with a codebook"},
    ScaleEnding{".weight_codebook", Role::foreign, "integers with a codebook"},
    ScaleEnding{".wscales", Role::foreign, "SVDQuant (Nunchaku)"},
    ScaleEnding{".smooth_factor", Role::foreign, "SVDQuant (Nunchaku)"},
    ScaleEnding{".weight._data", Role::foreign, "optimum-quanto"},
    ScaleEnding{".weight._scale", Role::foreign, "optimum-quanto"},
    ScaleEnding{".weight_int8pack", Role::foreign, "packed integers"},
    ScaleEnding{".weight.SCB", Role::foreign, "bitsandbytes' 8-bit integers"},
    ScaleEnding{".SCB", Role::foreign, "bitsandbytes' 8-bit integers"},
};

const ScaleEnding* ending_of(std::string_view name) {
  for (const ScaleEnding& ending : scale_endings) {
    if (!name.ends_with(ending.text)) continue;
    const bool whole_word = ending.role != Role::marker || name.size() == ending.text.size() ||
                            name[name.size() - ending.text.size() - 1] == '.';
    if (whole_word) return &ending;
  }
  return nullptr;
}

/// What ComfyUI calls a layer's format: `name`, or that and the word of a shape behind '_'.
struct Format {
  std::string_view name;
  std::string_view dtype;
};

constexpr std::array formats = {Format{"float8_e4m3fn", "F8_E4M3"}, Format{"fp8_e4m3fn", "F8_E4M3"},
                                Format{"float8_e5m2", "F8_E5M2"},   Format{"fp8_e5m2", "F8_E5M2"},
                                Format{"int8_tensorwise", "I8"},    Format{"int8_rowwise", "I8"},
                                Format{"int8_blockwise", "I8"}};
constexpr std::array<std::string_view, 5> format_shapes = {"", "_tensorwise", "_rowwise", "_blockwise", "_block3d"};

const Format* find_format(std::string_view text) {
  for (const Format& format : formats) {
    if (!text.starts_with(format.name)) continue;
    const std::string_view rest = text.substr(format.name.size());
    if (std::ranges::find(format_shapes, rest) != format_shapes.end()) return &format;
  }
  return nullptr;
}

constexpr std::array<std::string_view, 6> scalable = {"F8_E4M3", "F8_E5M2", "F16", "BF16", "F32", "F64"};
constexpr std::array<std::string_view, 4> scale_dtypes = {"F32", "F16", "BF16", "F64"};
constexpr std::int64_t usual_block = 128;  ///< of DeepSeek and Hugging Face, who call their scales weight_scale_inv

bool is_fp8(const StoredTensor& tensor) { return tensor.dtype.starts_with("F8_"); }

/// How many blocks of `block` cover `length`.
std::int64_t covering(std::int64_t length, std::int64_t block) { return (length + block - 1) / block; }

/// The sides that `count` blocks over `length` may have: the side that was said, an exact part, or a power of two,
/// whose last block may be cut short.
std::vector<std::int64_t> block_sides(std::int64_t length, std::int64_t count, std::int64_t said) {
  if (count < 1 || count > length) return {};
  if (count == 1) return {length};
  if (count == length) return {1};
  if (said > 0 && covering(length, said) == count) return {said};
  std::vector<std::int64_t> sides;
  if (length % count == 0) sides.push_back(length / count);
  const auto power = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(covering(length, count))));
  if (covering(length, power) == count && (sides.empty() || sides.front() != power)) sides.push_back(power);
  return sides;
}

/// The one side that fits, or of several the one that makes squares with those of the other dimension, of `across`
/// blocks; none where that does not decide.
std::optional<std::int64_t> one_of(const std::vector<std::int64_t>& sides, const std::vector<std::int64_t>& others,
                                   std::int64_t across) {
  if (sides.size() == 1) return sides.front();
  std::vector<std::int64_t> square;
  for (const std::int64_t side : sides) {
    const bool fits = across == 1 ? side >= others.front() : std::ranges::find(others, side) != others.end();
    if (fits) square.push_back(side);
  }
  return square.size() == 1 ? std::optional(square.front()) : std::nullopt;
}

/// A name with its numbers left out: the same for the same layer of every block.
std::string kind_of(const std::string& name) {
  std::string kind;
  for (const char c : name) {
    const bool digit = c >= '0' && c <= '9';
    const bool counts = !digit || (!kind.empty() && kind.back() != '.' && kind.back() != '#');
    if (counts) kind += c;
    if (!counts && kind.ends_with('.')) kind += '#';
  }
  return kind;
}

class Finder {
 public:
  Finder(std::span<const StoredTensor> tensors, std::span<const LayerNote> notes) : notes_(notes) {
    for (const StoredTensor& tensor : tensors) tensors_.emplace(tensor.name, &tensor);
  }

  WeightScales find() {
    for (const LayerNote& note : notes_) read(note);
    for (const auto& [name, tensor] : tensors_) read(name, *tensor);
    for (const auto& [name, stem] : factors_) multiply(name, stem);
    for (const std::string& marker : markers_) check_marker(marker);
    for (const auto& [weight, note] : noted_) check_noted(weight, *note);
    check_unscaled();
    return std::move(found_);
  }

 private:
  void fault(const std::string& tensor, const std::string& what) { found_.faults.push_back({tensor, what}); }

  const StoredTensor* tensor(const std::string& name) const {
    const auto found = tensors_.find(name);
    return found == tensors_.end() ? nullptr : found->second;
  }

  /// The weight of a layer, or of what a scale's name is without its ending; "" where there is none.
  std::string weight_of(const std::string& layer) const {
    for (const char* ending : {".weight", "_weight", ""}) {
      if (tensor(layer + ending) != nullptr && ending_of(layer + ending) == nullptr) return layer + ending;
    }
    return "";
  }

  /// The weight of a layer that a header names, perhaps without what stands before it in the file; "" where there is
  /// none.
  std::string noted_weight(const std::string& layer) const {
    if (const std::string weight = weight_of(layer); !weight.empty()) return weight;
    std::string found;
    for (const auto& [name, each] : tensors_) {
      if (!name.ends_with("." + layer + ".weight")) continue;
      if (!found.empty()) return "";
      found = name;
    }
    return found;
  }

  void read(const LayerNote& note) {
    const std::string weight = noted_weight(note.layer);
    if (weight.empty()) {
      return fault(note.layer + ".comfy_quant",
                   sentence("it says how {} is quantized, and has no weight of it", note.layer));
    }
    const Format* format = find_format(note.format);
    const std::string& dtype = tensor(weight)->dtype;
    if (format == nullptr) return fault(weight, sentence("tensor {} is quantized as {}", weight, note.format));
    if (!note.unknown.empty()) {
      return fault(weight, sentence("tensor {} is quantized as {} with {}", weight, note.format, note.unknown));
    }
    if (dtype != format->dtype) {
      return fault(weight, sentence("tensor {} is {}, and is said to be {}", weight, dtype, note.format));
    }
    noted_[weight] = &note;
  }

  void read(const std::string& name, const StoredTensor& stored) {
    const ScaleEnding* ending = ending_of(name);
    if (ending == nullptr) return;
    const std::string stem = name.substr(0, name.size() - ending->text.size());
    switch (ending->role) {
      case Role::foreign: return fault(name, sentence("tensor {} belongs to {}", name, ending->scheme));
      case Role::marker: markers_.push_back(name); break;
      case Role::factor: factors_[name] = stem; break;
      case Role::scale: scale(name, stored, stem + std::string(ending->weight)); break;
      case Role::unused:
      case Role::note: break;
    }
    found_.notes.insert(name);
  }

  void scale(const std::string& name, const StoredTensor& scale, const std::string& stem) {
    const std::string weight = weight_of(stem);
    if (weight.empty()) return fault(name, sentence("tensor {} scales a weight that is not there", name));
    const auto [other, is_new] = found_.weights.try_emplace(weight);
    if (!is_new) {
      return fault(name, sentence("tensor {} has two scales: {} and {}", weight, other->second.scale, name));
    }
    const StoredTensor& stored = *tensor(weight);
    const bool integers = stored.dtype == "I8" && noted_.contains(weight);
    if (!integers && std::ranges::find(scalable, stored.dtype) == scalable.end()) {
      return fault(weight, sentence("tensor {} is {} with a scale", weight, stored.dtype));
    }
    if (std::ranges::find(scale_dtypes, scale.dtype) == scale_dtypes.end()) {
      return fault(name, sentence("tensor {} is {}, as the scales of mxfp8 and nvfp4 are", name, scale.dtype));
    }
    std::optional<WeightScale> laid = laid_over(stored, scale);
    if (!laid) {
      return fault(name, sentence("tensor {} is {}, which does not lie over the {} of {} by tensor, row or block", name,
                                  shape_text(scale.shape), shape_text(stored.shape), weight));
    }
    laid->integers = integers;
    other->second = std::move(*laid);
  }

  std::optional<WeightScale> laid_over(const StoredTensor& weight, const StoredTensor& scale) const {
    const std::int64_t rows = weight.shape.empty() ? 1 : weight.shape.front();
    const std::int64_t columns = rows == 0 ? 0 : count_of(weight.shape) / rows;
    if (rows < 1 || columns < 1) return std::nullopt;
    WeightScale laid{scale.name, "", 1, 1, rows, columns};
    if (count_of(scale.shape) == 1) return laid;
    laid.rows = scale.shape.front();
    const bool by_row = laid.rows == rows && count_of(scale.shape) == rows;
    if (by_row) {
      laid.block_rows = 1;
      return laid;
    }
    if (scale.shape.size() < 2 || weight.shape.size() != 2) return std::nullopt;
    laid.columns = scale.shape[1];
    if (count_of(scale.shape) != laid.rows * laid.columns) return std::nullopt;
    const auto note = noted_.find(weight.name);
    const std::int64_t usual = scale.name.ends_with("_inv") ? usual_block : 0;
    const std::int64_t said = note != noted_.end() && note->second->block > 0 ? note->second->block : usual;
    const std::vector<std::int64_t> heights = block_sides(rows, laid.rows, said);
    const std::vector<std::int64_t> widths = block_sides(columns, laid.columns, said);
    const std::optional<std::int64_t> height = one_of(heights, widths, laid.columns);
    const std::optional<std::int64_t> width = one_of(widths, heights, laid.rows);
    if (!height || !width) return std::nullopt;
    laid.block_rows = *height;
    laid.block_columns = *width;
    return laid;
  }

  void multiply(const std::string& name, const std::string& stem) {
    const auto scaled = found_.weights.find(weight_of(stem));
    if (scaled == found_.weights.end() || scaled->second.scale.empty()) {
      return fault(name, sentence("tensor {} multiplies scales that are not there", name));
    }
    const StoredTensor& factor = *tensor(name);
    const bool number = std::ranges::find(scale_dtypes, factor.dtype) != scale_dtypes.end();
    if (count_of(factor.shape) != 1 || !number) {
      return fault(name,
                   sentence("tensor {} is {} {}, expected one number", name, factor.dtype, shape_text(factor.shape)));
    }
    scaled->second.factor = name;
  }

  /// A marker stands at the root of the part it speaks of.
  void check_marker(const std::string& marker) {
    const std::string root = marker.substr(0, marker.size() - std::string_view("scaled_fp8").size());
    const bool kept =
        std::ranges::any_of(found_.weights, [&](const auto& each) { return each.first.starts_with(root); });
    if (!kept) fault(marker, sentence("tensor {} says that weights have scales, and none has", marker));
  }

  void check_noted(const std::string& weight, const LayerNote& note) {
    const auto scaled = found_.weights.find(weight);
    if (scaled == found_.weights.end()) {
      return fault(weight, sentence("tensor {} is said to be {}, and its scale is not there", weight, note.format));
    }
    const WeightScale& scale = scaled->second;
    const bool rows_differ = scale.block_rows != note.block && scale.rows > 1 && scale.block_rows > 1;
    const bool columns_differ = scale.block_columns != note.block && scale.columns > 1;
    if (note.block > 0 && (rows_differ || columns_differ)) {
      fault(scale.scale, sentence("tensor {} is no grid of blocks of {} over {}, as is said of it", scale.scale,
                                  note.block, weight));
    }
  }

  /// Of the same layer in all blocks, either all have scales or none; those that are not in fp8 need none.
  void check_unscaled() {
    std::set<std::string> scaled;
    for (const auto& [weight, scale] : found_.weights) scaled.insert(kind_of(weight));
    if (scaled.empty()) return;
    for (const auto& [name, stored] : tensors_) {
      if (!is_fp8(*stored) || found_.weights.contains(name) || found_.notes.contains(name)) continue;
      if (scaled.contains(kind_of(name))) {
        fault(name, sentence("tensor {} is in fp8, and its scale is not there", name));
      }
    }
  }

  std::span<const LayerNote> notes_;
  std::map<std::string, const StoredTensor*> tensors_;
  std::map<std::string, const LayerNote*> noted_;  ///< by weight: only those that can be applied
  std::map<std::string, std::string> factors_;     ///< name and what stands before its ending
  std::vector<std::string> markers_;
  WeightScales found_;
};

}  // namespace

bool is_weight_note(std::string_view name) { return ending_of(name) != nullptr; }

std::string noted_layer(std::string_view name) {
  const ScaleEnding* ending = ending_of(name);
  if (ending == nullptr || ending->role != Role::note) return "";
  return std::string(name.substr(0, name.size() - ending->text.size()));
}

bool has_scales(std::string_view quant_method) {
  constexpr std::array methods = {"fp8", "fbgemm_fp8", "compressed-tensors", "modelopt"};
  return std::ranges::find(methods, quant_method) != methods.end();
}

WeightScales find_weight_scales(std::span<const StoredTensor> tensors, std::span<const LayerNote> notes) {
  return Finder(tensors, notes).find();
}

}  // namespace lapis::core
