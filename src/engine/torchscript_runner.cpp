#include "engine/torchscript_runner.hpp"

#include <algorithm>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/passes/tensorexpr_fuser.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>
#include <utility>

#include "engine/graph_scan.hpp"

namespace lapis::engine {
namespace {

void use_plain_executor() {
  // The profiling executor and the fuser cost seconds at the first calls and win nothing afterwards on these graphs.
  torch::jit::setGraphExecutorOptimize(false);
  torch::jit::setTensorExprFuserEnabled(false);
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

class TorchScriptRunner final : public Runner {
 public:
  TorchScriptRunner(torch::jit::Module module, bool wants_weights) : module_(std::move(module)) {
    if (!wants_weights) return;
    for (const auto& parameter : module_.named_parameters(/*recurse=*/true)) {
      std::string name = parameter.name;
      std::replace(name.begin(), name.end(), '/', '.');
      parameters_.push_back({std::move(name), parameter.value.sizes().vec()});
    }
  }

  const std::vector<core::TensorShape>& parameters() const override { return parameters_; }

  void bind(std::size_t parameter, const at::Tensor& tensor) override {
    std::string attribute = parameters_.at(parameter).name;
    std::replace(attribute.begin(), attribute.end(), '.', '/');
    module_.setattr(attribute, tensor);
  }

  std::vector<at::Tensor> run(const std::vector<at::Tensor>& inputs) override {
    const c10::IValue result = module_.forward(std::vector<c10::IValue>(inputs.begin(), inputs.end()));
    if (result.isTensor()) return {result.toTensor()};
    std::vector<at::Tensor> outputs;
    if (!result.isTuple()) return outputs;
    for (const c10::IValue& value : result.toTupleRef().elements()) {
      if (value.isTensor()) outputs.push_back(value.toTensor());
    }
    return outputs;
  }

  std::string input_names() const override { return engine::input_names(*module_.type()); }

  std::uint64_t bytes() const override {
    std::uint64_t sum = 0;
    for (const auto& parameter : module_.parameters()) sum += parameter.nbytes();
    for (const auto& buffer : module_.buffers()) sum += buffer.nbytes();
    return sum;
  }

 private:
  torch::jit::Module module_;
  std::vector<core::TensorShape> parameters_;
};

}  // namespace

std::unique_ptr<Runner> load_torchscript(const Part& part, Placement placement) {
  use_plain_executor();
  torch::jit::Module module = torch::jit::load(part.graph.string(), at::Device(at::kCPU), /*load_debug_files=*/false);
  scan_graph(module._ivalue(), part);
  module.eval();
  place_own_tensors(module, part.weights.empty(), placement);
  return std::make_unique<TorchScriptRunner>(std::move(module), !part.weights.empty());
}

}  // namespace lapis::engine
