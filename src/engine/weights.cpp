#include "engine/weights.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "engine/deltas.hpp"
#include "engine/dtypes.hpp"
#include "engine/scaled.hpp"
#include "io/checkpoint/scale_reader.hpp"
#include "io/file/safetensors.hpp"
#include "io/file/shortage.hpp"
#include "lapis/error.hpp"

namespace lapis::engine {
namespace {

constexpr std::string_view plain_key_scheme = "diffusers";

/// A tensor over the mapped bytes, or over a copy where the file did not align them.
at::Tensor borrowed(const io::TensorView& view, at::ScalarType type) {
  // libtorch has no read-only tensors; nothing in a traced graph writes to a parameter, and the mapping would trap it.
  void* data = const_cast<std::byte*>(view.data.data());
  if (reinterpret_cast<std::uintptr_t>(data) % at::elementSize(type) == 0) {
    return at::from_blob(data, view.shape, at::TensorOptions().dtype(type));
  }
  at::Tensor copy = at::detail::empty_cpu(view.shape, at::TensorOptions().dtype(type));
  std::memcpy(copy.mutable_data_ptr(), data, view.data.size());
  return copy;
}

/// Rows of a tensor: a view wherever that is possible.
at::Tensor rows_of(const at::Tensor& tensor, const std::vector<core::RowRange>& rows) {
  if (rows.empty()) return tensor;
  std::vector<at::Tensor> pieces;
  for (const core::RowRange& range : rows) pieces.push_back(tensor.narrow(0, range.first, range.count));
  return pieces.size() == 1 ? pieces.front() : at::cat(pieces);
}

std::vector<core::TensorLocation> places_of(std::span<const core::TensorShape> parameters, const Part& part) {
  const core::KeySchemeRow* row = core::find_key_scheme(part.key_scheme);
  if (row == nullptr) throw Error(ErrorKind::internal, "a part's naming is not known");
  return core::places(row->key_scheme, parameters);
}

bool is_token_table(const std::string& parameter) { return parameter.ends_with("token_embedding.weight"); }

/// The table of token embeddings with the rows that a job adds; only where there are some does it leave its mapping.
at::Tensor with_added_rows(const at::Tensor& table, const std::vector<AddedRows>& added, const std::string& parameter) {
  if (added.empty() || !is_token_table(parameter)) return table;
  std::vector<at::Tensor> tables{table};
  for (const AddedRows& rows : added) {
    const std::unique_ptr<io::TensorFile> file = io::open_tensor_file(rows.file, ErrorKind::input);
    const io::TensorView* view = file->find(rows.tensor);
    const std::optional<at::ScalarType> type = view ? scalar_type(view->dtype) : std::nullopt;
    if (!type) {
      throw Error(ErrorKind::input, core::sentence("{} has changed since it was read. Try again", rows.file.string()));
    }
    // A copy: the file is unmapped at the end of this block.
    tables.push_back(borrowed(*view, *type).reshape({rows.rows, table.size(1)}).to(table.options(), false, true));
  }
  return at::cat(tables);
}

std::map<std::string, std::vector<const Delta*>> by_parameter(const std::vector<Delta>& deltas) {
  std::map<std::string, std::vector<const Delta*>> sorted;
  for (const Delta& delta : deltas) sorted[delta.parameter].push_back(&delta);
  return sorted;
}

bool are_equal(const std::vector<const Delta*>& one, const std::vector<const Delta*>& other) {
  return std::ranges::equal(one, other, [](const Delta* a, const Delta* b) { return *a == *b; });
}

}  // namespace

Weights::Weights(const Part& part, const std::string& name) : part_(part), name_(name) {
  std::vector<const io::TensorFile*> files;
  for (const auto& file : part.weights) {
    files_.push_back(io::open_tensor_file(file, ErrorKind::model, io::stray_checkpoint_bytes));
    files.push_back(files_.back().get());
  }
  scales_ = io::read_weight_scales(files, part.weights, ErrorKind::model);
}

const io::TensorView& Weights::find(const std::string& key) const {
  for (const std::unique_ptr<io::TensorFile>& file : files_) {
    if (const io::TensorView* view = file->find(key)) return *view;
  }
  throw Error(ErrorKind::model,
              core::sentence("{}: part {} needs a tensor named {} and finds none. Export or import the model again",
                             part_.weights.front().string(), name_, key));
}

/// The rows of a tensor that a place names, times their scales where there are some, and the transpose where it says
/// so.
at::Tensor Weights::at_location(const core::TensorLocation& place) const {
  const std::string key = part_.prefix + place.name;
  const io::TensorView& view = find(key);
  const auto scale = scales_.weights.find(key);
  const bool quantized = scale != scales_.weights.end();
  const std::optional<at::ScalarType> type =
      quantized && scale->second.integers ? std::optional(at::kChar) : scalar_type(view.dtype);
  if (!type) {
    throw Error(ErrorKind::model, core::sentence("{}: tensor {} is {}; a weight must be F32, F16, BF16, F64 or F8",
                                                 part_.weights.front().string(), key, io::dtype_name(view.dtype)));
  }
  const at::Tensor stored = borrowed(view, *type);
  const auto numbers = [&] {
    return io::scale_numbers(scale->second, [&](const auto& name) -> const io::TensorView& { return find(name); });
  };
  const at::Tensor result =
      quantized ? scaled(stored, place.rows, scale->second, numbers()) : rows_of(stored, place.rows);
  // Another order of strides would have matrices multiplied in another order, and other last digits.
  return place.transposed ? result.t().contiguous() : result;
}

void Weights::check_memory(std::span<const core::TensorLocation> places, Placement placement) const {
  std::set<const io::TensorView*> converted;
  for (const core::TensorLocation& place : places) {
    const std::string key = part_.prefix + place.name;
    const io::TensorView& view = find(key);
    if (scalar_type(view.dtype) != placement.dtype || scales_.weights.contains(key)) converted.insert(&view);
  }
  std::uint64_t needed = 0;
  for (const io::TensorView* view : converted) {
    needed += view->data.size() * 8 / io::dtype_bits(view->dtype) * at::elementSize(placement.dtype);
  }
  const std::optional<std::uint64_t> free = placement.device.is_cpu() ? io::free_memory() : std::nullopt;
  if (!free || needed < *free) return;
  throw Error(
      ErrorKind::device,
      core::sentence("part {} of {} has weights of another dtype, which take {} as they are converted, and {} are "
                     "free.",
                     name_, part_.weights.front().string(), core::bytes_text(needed), core::bytes_text(*free)),
      core::sentence(
          "Use the dtype of the file ({lapis list} models), such as {dtype} bf16: then they stay where they are."));
}

/// The tensor of a parameter as its checkpoint has it, in the graph's shape.
at::Tensor Weights::in_shape(const core::TensorShape& parameter, const core::TensorLocation& place) const {
  const std::vector<std::int64_t>& wanted = parameter.shape;
  const at::Tensor found = at_location(place);
  // Other key schemes store a linear layer as a 1 x 1 convolution, or the other way: the same bytes.
  const bool renamed = part_.key_scheme != plain_key_scheme;
  if (found.sizes() == at::IntArrayRef(wanted) || (renamed && found.numel() == core::count_of(wanted))) {
    return found.reshape(wanted);
  }
  const std::string key = part_.prefix + place.name;
  throw Error(ErrorKind::model,
              core::sentence("{}: tensor {} has shape {}; part {} wants {}", part_.weights.front().string(), key,
                             core::shape_text(find(key).shape), name_, core::shape_text(wanted)));
}

std::vector<at::Tensor> Weights::bound(std::span<const core::TensorShape> parameters, Placement placement,
                                       const PartAttachments& attachments, const Wanted& wanted) const {
  const std::vector<core::TensorLocation> places = places_of(parameters, part_);
  if (!wanted) check_memory(places, placement);  // binding a few tensors again takes little memory
  const Deltas deltas(attachments.deltas);
  std::vector<at::Tensor> tensors(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::string& name = parameters[i].name;
    if (wanted && !wanted(name)) continue;
    const at::Tensor whole = deltas.added(in_shape(parameters[i], places[i]), name);
    const at::Tensor tensor = whole.to(placement.device, placement.dtype);
    tensors[i] = with_added_rows(tensor, attachments.token_rows, name);
  }
  return tensors;
}

Weights::Wanted touched_by(const PartAttachments& before, const PartAttachments& after) {
  const auto old = by_parameter(before.deltas);
  std::set<std::string> touched;
  for (const auto& [parameter, deltas] : by_parameter(after.deltas)) {
    const auto found = old.find(parameter);
    if (found == old.end() || !are_equal(found->second, deltas)) touched.insert(parameter);
  }
  for (const auto& [parameter, deltas] : old) {
    if (!std::ranges::any_of(after.deltas, [&](const Delta& delta) { return delta.parameter == parameter; })) {
      touched.insert(parameter);
    }
  }
  const bool table = before.token_rows != after.token_rows;
  return [touched = std::move(touched), table](const std::string& parameter) {
    return touched.contains(parameter) || (table && is_token_table(parameter));
  };
}

}  // namespace lapis::engine
