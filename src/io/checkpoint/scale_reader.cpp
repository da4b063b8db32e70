#include "io/checkpoint/scale_reader.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/text/sentence.hpp"
#include "io/file/half.hpp"
#include "io/file/json_reader.hpp"
#include "io/file/text.hpp"

namespace lapis::io {
namespace {

constexpr std::size_t longest_note = 64'000;       ///< of one layer
constexpr std::size_t longest_notes = 16'000'000;  ///< of all layers of a file
constexpr const char* notes_key = "_quantization_metadata";
constexpr float largest_fp8 = 57'344;
constexpr const char* scale_advice =
    "lapis applies scales by tensor, row or block to weights in fp8 (F8_E4M3, F8_E5M2). Take such a file, or "
    "one in fp16 or bf16.";

/// The side of a block that a note names, under either of two keys, at its top or below "params"; 0 where it names
/// none.
std::int64_t block_in(const JsonValue& note) {
  for (const char* key : {"group_size", "block_size"}) {
    if (note.has(key)) return note.at(key).integer(1, 1 << 20);
  }
  return note.has("params") ? block_in(note.at("params")) : 0;
}

core::LayerNote read_note(const std::string& layer, nlohmann::json document, const JsonSource& source) {
  static const std::vector<std::string> known = {
      "format", "group_size", "block_size", "params", "full_precision_matrix_mult", "orig_dtype", "orig_shape"};
  if (document.is_string()) return {layer, document.get<std::string>(), 0, ""};
  const JsonValue note(document, source);
  std::string unknown;
  for (const auto& [key, value] : note.members()) {
    const nlohmann::json& found = document.at(key);
    if (found.is_null() || (found.is_boolean() && !found.get<bool>())) {
      document.erase(key);
    } else if (std::ranges::find(known, key) == known.end()) {
      unknown = key;
    }
  }
  return {layer, note.at("format").text(), block_in(note), unknown};
}

void take_notes(const TensorFile& file, const std::string& path, ErrorKind kind, std::vector<core::LayerNote>& notes) {
  if (const auto all = file.metadata().find(notes_key); all != file.metadata().end()) {
    const JsonSource source{core::sentence("{}: its metadata {}", path, notes_key), kind, scale_advice, longest_notes};
    const nlohmann::json document = parse_json(all->second, source);
    for (const auto& [layer, note] : JsonValue(document, source).at("layers").members()) {
      const JsonSource one{core::sentence("{}, layer {}", source.file, printable(layer)), kind, scale_advice,
                           longest_notes};
      notes.push_back(read_note(layer, document.at("layers").at(layer), one));
    }
  }
  for (const auto& [name, view] : file.tensors()) {
    const std::string layer = core::noted_layer(name);
    if (layer.empty()) continue;
    const JsonSource source{core::sentence("{}: tensor {}", path, name), kind, scale_advice, longest_note};
    const core::LayerNote note = read_note(layer, parse_json(as_chars(view.data), source), source);
    std::erase_if(notes, [&](const core::LayerNote& other) { return other.layer == layer; });
    notes.push_back(note);
  }
}

template <class Number, class Convert>
std::vector<float> converted(std::span<const std::byte> data, const Convert& convert) {
  std::vector<float> numbers;
  for (std::size_t at = 0; at + sizeof(Number) <= data.size(); at += sizeof(Number)) {
    Number number;
    std::memcpy(&number, data.data() + at, sizeof number);
    numbers.push_back(convert(number));
  }
  return numbers;
}

/// A tensor's numbers by their bytes, where the files hold it.
class Tensors {
 public:
  Tensors(std::span<const TensorFile* const> files, std::span<const std::filesystem::path> paths)
      : files_(files), paths_(paths) {}

  const TensorView& view(const std::string& name) const { return *files_[file_of(name)]->find(name); }
  std::string path(const std::string& name) const { return paths_[file_of(name)].string(); }

 private:
  std::size_t file_of(const std::string& name) const {
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (files_[i]->find(name) != nullptr) return i;
    }
    return 0;
  }

  std::span<const TensorFile* const> files_;
  std::span<const std::filesystem::path> paths_;
};

/// Whether all weights below one scale are 0 or -0, which is the sign bit alone in every type.
bool is_empty_block(const TensorView& weight, const core::WeightScale& scale, std::int64_t row, std::int64_t column) {
  const std::int64_t rows = weight.shape.empty() ? 1 : weight.shape.front();
  const auto width = static_cast<std::int64_t>(dtype_bits(weight.dtype) / 8);
  const std::int64_t columns = static_cast<std::int64_t>(weight.data.size()) / width / rows;
  const std::int64_t last_row = std::min(rows, (row + 1) * scale.block_rows);
  const std::int64_t last_column = std::min(columns, (column + 1) * scale.block_columns);
  for (std::int64_t r = row * scale.block_rows; r < last_row; ++r) {
    for (std::int64_t byte = (r * columns + column * scale.block_columns) * width;
         byte < (r * columns + last_column) * width; ++byte) {
      const bool sign = !scale.integers && byte % width == width - 1;
      const auto bits = std::to_integer<unsigned>(weight.data[static_cast<std::size_t>(byte)]);
      if ((sign ? bits & 0x7FU : bits) != 0) return false;
    }
  }
  return true;
}

/// What is wrong with the numbers of a scale; "" where nothing is.
std::string number_fault(const core::WeightScale& scale, const TensorView& weight, const std::vector<float>& numbers) {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto place = [&] { return numbers.size() == 1 ? "" : core::sentence(" at its number {}", i); };
    if (!std::isfinite(numbers[i])) return core::sentence("is NaN or infinite{}", place());
    if (numbers[i] < 0) return core::sentence("is negative{}", place());
    if (!std::isfinite(numbers[i] * largest_fp8)) return core::sentence("is too large{}", place());
    if (numbers[i] > 0) continue;
    const auto index = static_cast<std::int64_t>(i);
    if (!is_empty_block(weight, scale, index / scale.columns, index % scale.columns)) {
      return core::sentence("is 0{}, over weights that are not", place());
    }
  }
  return "";
}

void check_numbers(const Tensors& tensors, const std::string& weight, const core::WeightScale& scale, ErrorKind kind) {
  const core::WeightScale whole{scale.factor, "", 1, 1, INT64_MAX / 2, INT64_MAX / 2, scale.integers};
  for (const auto& [name, grid] : {std::pair(scale.scale, scale), std::pair(scale.factor, whole)}) {
    if (name.empty()) continue;
    const std::string fault = number_fault(grid, tensors.view(weight), scale_numbers(tensors.view(name)));
    if (fault.empty()) continue;
    throw Error(kind, core::sentence("{}: the scale {} {}.", tensors.path(name), name, fault),
                "The file was written wrongly, or is damaged: take another.");
  }
}

}  // namespace

std::vector<float> scale_numbers(const TensorView& view) {
  if (view.dtype == Dtype::f16) return converted<std::uint16_t>(view.data, from_f16);
  if (view.dtype == Dtype::bf16) return converted<std::uint16_t>(view.data, from_bf16);
  if (view.dtype == Dtype::f64)
    return converted<double>(view.data, [](double number) { return static_cast<float>(number); });
  return converted<float>(view.data, std::identity{});
}

std::vector<float> scale_numbers(const core::WeightScale& scale,
                                 const std::function<const TensorView&(const std::string&)>& find) {
  std::vector<float> numbers = scale_numbers(find(scale.scale));
  if (scale.factor.empty()) return numbers;
  const float factor = scale_numbers(find(scale.factor)).front();
  for (float& number : numbers) number *= factor;
  return numbers;
}

core::WeightScales read_weight_scales(std::span<const TensorFile* const> files,
                                      std::span<const std::filesystem::path> paths, ErrorKind kind) {
  std::vector<core::StoredTensor> stored;
  std::vector<core::LayerNote> notes;
  bool any = false;
  for (std::size_t i = 0; i < files.size(); ++i) {
    take_notes(*files[i], paths[i].string(), kind, notes);
    for (const auto& [name, view] : files[i]->tensors()) {
      any = any || core::is_weight_note(name);
      stored.push_back({name, std::string(dtype_name(view.dtype)), view.shape});
    }
  }
  if (!any && notes.empty()) return {};
  const Tensors tensors(files, paths);
  core::WeightScales scales = core::find_weight_scales(stored, notes);
  if (!scales.faults.empty()) {
    const core::ScaleFault& fault = scales.faults.front();
    const std::size_t count = scales.faults.size();
    const std::string path = tensors.path(fault.tensor);
    throw Error(kind,
                count == 1 ? core::sentence("{}: {}.", path, fault.what)
                           : core::sentence("{}: {} ({} such).", path, fault.what, count),
                scale_advice);
  }
  for (const auto& [weight, scale] : scales.weights) check_numbers(tensors, weight, scale, kind);
  return scales;
}

}  // namespace lapis::io
