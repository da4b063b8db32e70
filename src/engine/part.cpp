#include "engine/part.hpp"

#include <algorithm>
#include <c10/core/InferenceMode.h>
#include <chrono>
#include <optional>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/passes/tensorexpr_fuser.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>

#include "core/checkpoint/checkpoint_names.hpp"
#include "engine/failure.hpp"
#include "engine/graph_scan.hpp"
#include "engine/weights.hpp"
#include "io/graph/graph_archive.hpp"
#include "lapis/error.hpp"

namespace lapis::engine {

struct LoadedPart::State {
  std::string name;
  std::string graph;  // its file
  Placement placement;
  std::optional<Weights> weights;  // its tensors must outlive the module that borrows them
  torch::jit::Module module;
  std::vector<Port> inputs;
  std::size_t outputs = 0;
  double seconds = 0;
};

namespace {

/// The first line of libtorch's message; the rest is its own stack.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

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

void bind_weights(torch::jit::Module& module, const Weights& weights, Placement placement) {
  const std::vector<core::TensorShape> parameters = parameters_of(module);
  const std::vector<at::Tensor> tensors = weights.bound(parameters, placement);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    std::string attribute = parameters[i].name;
    std::replace(attribute.begin(), attribute.end(), '.', '/');
    module.setattr(attribute, tensors[i]);
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
  state_->graph = part.graph.string();
  io::check_graph_archive(part.graph);
  if (!part.weights.empty()) state_->weights.emplace(part, name);
  try {
    state_->module = torch::jit::load(part.graph.string(), at::Device(at::kCPU), /*load_debug_files=*/false);
    scan_graph(state_->module._ivalue(), part);
    state_->module.eval();
    place_own_tensors(state_->module, part.weights.empty(), placement);
    if (state_->weights) bind_weights(state_->module, *state_->weights, placement);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {  // libtorch's parser throws more than c10::Error
    if (is_shortage()) throw;
    const auto* torch = dynamic_cast<const c10::Error*>(&error);
    throw Error(ErrorKind::model, part.graph.string() + ": libtorch cannot load this graph: " +
                                      first_line(torch ? torch->what_without_backtrace() : error.what()));
  }
}

LoadedPart::~LoadedPart() = default;
LoadedPart::LoadedPart(LoadedPart&&) noexcept = default;
LoadedPart& LoadedPart::operator=(LoadedPart&&) noexcept = default;

std::vector<at::Tensor> LoadedPart::run(const std::vector<at::Tensor>& inputs) {
  try {
    return call(inputs);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    if (is_shortage()) throw;
    throw Error(ErrorKind::model, state_->graph + " fails as " + state_->name + ": " + gist_of(error) + ".",
                "Restore the file, or export the model again.");
  }
}

std::vector<at::Tensor> LoadedPart::call(const std::vector<at::Tensor>& inputs) {
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
