#include "engine/part.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>
#include <algorithm>
#include <c10/core/InferenceMode.h>
#include <chrono>
#include <cstring>
#include <optional>
#include <span>
#include <sstream>
#include <string_view>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/passes/tensorexpr_fuser.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include "core/checkpoint_names.hpp"
#include "engine/graph_scan.hpp"
#include "io/graph_archive.hpp"
#include "io/safetensors.hpp"
#include "lapis/error.hpp"

namespace lapis::engine {

struct LoadedPart::State {
  std::string name;
  Placement placement;
  std::vector<io::SafetensorsFile> weights;  // the mapped tensors must outlive the module that borrows them
  torch::jit::Module module;
  std::vector<Port> inputs;
  std::size_t outputs = 0;
  double seconds = 0;
};

namespace {

constexpr std::string_view plain_naming = "diffusers";

std::string shape_text(at::IntArrayRef shape) {
  std::ostringstream text;
  text << '[';
  for (std::size_t i = 0; i < shape.size(); ++i) text << (i ? ", " : "") << shape[i];
  text << ']';
  return text.str();
}

/// The first line of libtorch's message; the rest is its own stack.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::optional<at::ScalarType> scalar_type(io::Dtype dtype) {
  if (dtype == io::Dtype::f32) return at::kFloat;
  if (dtype == io::Dtype::f16) return at::kHalf;
  if (dtype == io::Dtype::bf16) return at::kBFloat16;
  if (dtype == io::Dtype::f64) return at::kDouble;
  if (dtype == io::Dtype::f8_e4m3) return at::kFloat8_e4m3fn;
  if (dtype == io::Dtype::f8_e5m2) return at::kFloat8_e5m2;
  return std::nullopt;
}

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

/// The rows of a tensor that a place names, and its transpose where it says so: a view wherever that is possible.
at::Tensor at_place(const at::Tensor& tensor, const core::TensorPlace& place) {
  at::Tensor result = tensor;
  if (!place.rows.empty()) {
    std::vector<at::Tensor> pieces;
    for (const core::RowRange& range : place.rows) pieces.push_back(tensor.narrow(0, range.first, range.count));
    result = pieces.size() == 1 ? pieces.front() : at::cat(pieces);
  }
  return place.transposed ? result.t() : result;
}

/// The graph's parameters, by their checkpoint names of diffusers.
std::vector<core::TensorShape> parameters_of(const torch::jit::Module& module) {
  std::vector<core::TensorShape> parameters;
  for (const auto& parameter : module.named_parameters(/*recurse=*/true)) {
    std::string name = parameter.name;
    std::replace(name.begin(), name.end(), '/', '.');
    parameters.push_back({std::move(name), parameter.value.sizes().vec()});
  }
  return parameters;
}

std::vector<core::TensorPlace> places_of(const std::vector<core::TensorShape>& parameters, const Part& part) {
  for (const core::NamingRow& row : core::namings()) {
    if (row.name == part.naming) return core::places(row.naming, parameters);
  }
  throw Error(ErrorKind::internal, "a part's naming is not known");
}

std::int64_t count_of(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return count;
}

const io::TensorView* find(const std::vector<io::SafetensorsFile>& files, const std::string& name) {
  for (const io::SafetensorsFile& file : files) {
    if (const io::TensorView* view = file.find(name)) return view;
  }
  return nullptr;
}

/// The table of token embeddings with the rows that a job adds; only where there are some does it leave its mapping.
at::Tensor with_added_rows(const at::Tensor& table, const Part& part, const std::string& parameter) {
  if (part.token_rows.empty() || !parameter.ends_with("token_embedding.weight")) return table;
  std::vector<at::Tensor> tables{table};
  for (const AddedRows& rows : part.token_rows) {
    const io::SafetensorsFile file(rows.file, ErrorKind::input);
    const io::TensorView* view = file.find(rows.tensor);
    const std::optional<at::ScalarType> type = view ? scalar_type(view->dtype) : std::nullopt;
    if (!type) throw Error(ErrorKind::input, rows.file.string() + " has changed since it was read. Try again");
    // A copy: the file is unmapped at the end of this block.
    tables.push_back(borrowed(*view, *type).reshape({rows.rows, table.size(1)}).to(table.options(), false, true));
  }
  return at::cat(tables);
}

void bind_weights(torch::jit::Module& module, const std::vector<io::SafetensorsFile>& files, const Part& part,
                  const std::string& part_name, Placement placement) {
  const std::string file = part.weights.front().string();
  const std::vector<core::TensorShape> parameters = parameters_of(module);
  const std::vector<core::TensorPlace> places = places_of(parameters, part);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::vector<std::int64_t>& wanted = parameters[i].shape;
    const std::string key = part.prefix + places[i].name;
    const io::TensorView* view = find(files, key);
    if (!view) {
      throw Error(ErrorKind::model, file + ": part " + part_name + " needs a tensor named " + key +
                                        " and finds none. Export the model again: scripts/export_graphs.py");
    }
    const std::optional<at::ScalarType> type = scalar_type(view->dtype);
    if (!type) {
      throw Error(ErrorKind::model, file + ": tensor " + key + " is " + std::string(io::dtype_name(view->dtype)) +
                                        "; a weight must be F32, F16, BF16, F64 or F8");
    }
    const bool renamed = part.naming != plain_naming;
    const at::Tensor found = at_place(borrowed(*view, *type), places[i]);
    // Other namings store a linear layer as a 1 x 1 convolution, or the other way: the same bytes.
    if (found.sizes() != at::IntArrayRef(wanted) && !(renamed && found.numel() == count_of(wanted))) {
      throw Error(ErrorKind::model, file + ": tensor " + key + " has shape " + shape_text(view->shape) + "; part " +
                                        part_name + " wants " + shape_text(wanted));
    }
    const at::Tensor bound = found.reshape(wanted).to(placement.device, placement.dtype);
    std::string attribute = parameters[i].name;
    std::replace(attribute.begin(), attribute.end(), '.', '/');
    module.setattr(attribute, with_added_rows(bound, part, parameters[i].name));
  }
}

/// Moves what a graph holds itself: all of a self-contained part, the constant tables of a bound one. Tables keep their
/// dtype, since timestep frequencies are fp32 by contract.
void place_own_tensors(torch::jit::Module& module, bool parameters_too, Placement placement) {
  for (auto sub : module.named_modules()) {
    for (const auto& buffer : sub.value.named_buffers(/*recurse=*/false)) {
      sub.value.setattr(buffer.name, buffer.value.to(placement.device));
    }
    if (!parameters_too) continue;
    for (const auto& parameter : sub.value.named_parameters(/*recurse=*/false)) {
      sub.value.setattr(parameter.name, parameter.value.detach().to(placement.device, placement.dtype));
    }
  }
}

void use_plain_executor() {
  // The profiling executor and the fuser cost seconds at the first calls and win nothing afterwards on these graphs.
  torch::jit::setGraphExecutorOptimize(false);
  torch::jit::setTensorExprFuserEnabled(false);
}

}  // namespace

LoadedPart::LoadedPart(const Part& part, const std::string& name, Placement placement)
    : state_(std::make_unique<State>()) {
  c10::InferenceMode inference;
  use_plain_executor();
  state_->name = name;
  state_->placement = placement;
  state_->inputs = part.inputs;
  state_->outputs = part.outputs.size();
  io::check_graph_archive(part.graph);
  for (const auto& file : part.weights)
    state_->weights.emplace_back(file, ErrorKind::model, io::stray_checkpoint_bytes);
  try {
    state_->module = torch::jit::load(part.graph.string(), at::Device(at::kCPU), /*load_debug_files=*/false);
    scan_graph(state_->module._ivalue(), part);
    state_->module.eval();
    place_own_tensors(state_->module, part.weights.empty(), placement);
    if (!part.weights.empty()) bind_weights(state_->module, state_->weights, part, name, placement);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {  // libtorch's parser throws more than c10::Error
    const auto* torch = dynamic_cast<const c10::Error*>(&error);
    throw Error(ErrorKind::model, part.graph.string() + ": libtorch cannot load this graph: " +
                                      first_line(torch ? torch->what_without_backtrace() : error.what()));
  }
}

LoadedPart::~LoadedPart() = default;
LoadedPart::LoadedPart(LoadedPart&&) noexcept = default;
LoadedPart& LoadedPart::operator=(LoadedPart&&) noexcept = default;

std::vector<at::Tensor> LoadedPart::run(const std::vector<at::Tensor>& inputs) {
  c10::InferenceMode inference;
  const auto start = std::chrono::steady_clock::now();
  const c10::IValue result = state_->module.forward(std::vector<c10::IValue>(inputs.begin(), inputs.end()));
  state_->seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::vector<at::Tensor> outputs;
  if (result.isTensor()) {
    outputs.push_back(result.toTensor());
  } else if (result.isTuple()) {
    for (const c10::IValue& value : result.toTupleRef().elements()) {
      if (value.isTensor()) outputs.push_back(value.toTensor());
    }
  }
  if (outputs.size() < state_->outputs) {
    throw Error(ErrorKind::model, "part " + state_->name + " returned " + std::to_string(outputs.size()) +
                                      " tensors; model.json declares " + std::to_string(state_->outputs));
  }
  return outputs;
}

double LoadedPart::seconds() const { return state_->seconds; }

Placement LoadedPart::placement() const { return state_->placement; }

bool LoadedPart::takes_scalar(std::size_t input) const {
  return input < state_->inputs.size() && state_->inputs[input].shape.empty();
}

std::string LoadedPart::input_names() const { return engine::input_names(*state_->module.type()); }

}  // namespace lapis::engine
