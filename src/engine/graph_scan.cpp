#include "engine/graph_scan.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/core/class_type.h>
#include <limits>
#include <memory>
#include <string_view>
#include <torch/csrc/jit/api/compilation_unit.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/ir.h>
#include <unordered_set>

#include "core/checkpoint/graph_ops.hpp"
#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::engine {
namespace {

/// Whether every element of a tensor lies in its storage: a pickle says size, stride and offset as it likes.
bool lies_in_storage(const at::Tensor& tensor) {
  if (!tensor.defined() || !tensor.has_storage() || tensor.is_meta()) return true;
  std::int64_t last = tensor.storage_offset();
  if (last < 0) return false;
  for (std::int64_t i = 0; i < tensor.dim(); ++i) {
    const std::int64_t size = tensor.size(i);
    const std::int64_t stride = tensor.stride(i);
    if (size < 0 || stride < 0) return false;
    if (size == 0) return true;
    std::int64_t reach = 0;
    if (__builtin_mul_overflow(size - 1, stride, &reach) || __builtin_add_overflow(last, reach, &last)) return false;
  }
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(last, static_cast<std::int64_t>(tensor.element_size()), &bytes)) return false;
  const std::size_t needed = static_cast<std::size_t>(bytes) + tensor.element_size();
  return needed <= tensor.storage().nbytes();
}

class GraphScan {
 public:
  explicit GraphScan(const std::string& file) : file_(file) {}

  void scan(const c10::intrusive_ptr<c10::ivalue::Object>& module) {
    for (torch::jit::Function* function : module->compilation_unit()->get_functions()) scan_function(*function);
    std::unordered_set<const void*> seen;
    c10::IValue(module).visit([&](const c10::IValue& value) {
      if (value.isTensor()) check_tensor(value.toTensor());
      if (value.isObject()) check_type(*value.type());
      return value.isPtrType() && !seen.insert(value.internalToPointer()).second;  // true: do not go into it again
    });
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const { throw core::refusal(ErrorKind::model, file_, what); }

  [[noreturn]] void refuse_call(const torch::jit::Function& function) const {
    refuse(core::sentence("it calls {}, which is no graph", function.qualname().qualifiedName()));
  }

  void check_tensor(const at::Tensor& tensor) const {
    if (!lies_in_storage(tensor)) refuse("a tensor of it lies outside of its own numbers");
  }

  void scan_function(torch::jit::Function& function) {
    torch::jit::GraphFunction* const graph = torch::jit::tryToGraphFunction(function);
    if (graph == nullptr) refuse_call(function);
    graph->ensure_defined();
    scan_block(*graph->graph()->block());
  }

  void scan_block(const torch::jit::Block& block) {
    for (const torch::jit::Node* node : block.nodes()) {
      check_operator(node->kind());
      for (const torch::jit::Value* output : node->outputs()) check_type(*output->type());
      for (const c10::Symbol attribute : node->attributeNames()) check_attribute(*node, attribute);
      for (const torch::jit::Block* inner : node->blocks()) scan_block(*inner);
    }
    for (const torch::jit::Value* input : block.inputs()) check_type(*input->type());
  }

  void check_operator(c10::Symbol kind) {
    if (known_.contains(kind)) return;
    const std::string space = kind.ns().toUnqualString();
    const std::string name = kind.toUnqualString();
    const std::string_view why = core::operator_fault(space, name);
    if (!why.empty()) refuse(core::sentence("it calls {}::{}, which {}", space, name, why));
    known_.insert(kind);
  }

  void check_attribute(const torch::jit::Node& node, c10::Symbol attribute) {
    using Kind = torch::jit::AttributeKind;
    const Kind kind = node.kindOf(attribute);  // those not named here are numbers, texts and types
    if (kind == Kind::t) check_tensor(node.t(attribute));
    if (kind == Kind::g) scan_block(*node.g(attribute)->block());
    if (kind == Kind::ts) {
      for (const at::Tensor& tensor : node.ts(attribute)) check_tensor(tensor);
    }
    if (kind == Kind::gs) {
      for (const auto& graph : node.gs(attribute)) scan_block(*graph->block());
    }
  }

  /// A class of the archive's own code has graphs for methods; one registered in C++ has whatever it likes.
  void check_type(const c10::Type& type) const {
    if (const auto* const named = type.castRaw<c10::ClassType>()) {
      const std::string name = named->name() ? named->name()->qualifiedName() : "";
      if (name.starts_with("__torch__.torch.classes.")) {
        refuse(core::sentence("it uses {}, which is written in C++", name));
      }
    }
    if (const auto* const callable = type.castRaw<c10::FunctionType>()) {
      if (!callable->function()->isGraphFunction()) refuse_call(*callable->function());
    }
    if (type.kind() == c10::TypeKind::ClassType) return;  // contains itself, where it has an attribute of its own kind
    for (const c10::TypePtr& inner : type.containedTypes()) check_type(*inner);
  }

  const std::string& file_;
  std::unordered_set<c10::Symbol> known_;  ///< operators that may stand
};

void check_arguments(const c10::ClassType& type, const Part& part, const std::string& file) {
  const torch::jit::Function* const forward = type.findMethod("forward");
  if (forward == nullptr) {
    throw Error(ErrorKind::model, core::sentence("{} has no forward, so it is no part of a model.", file),
                "Export the part anew");
  }
  const std::vector<c10::Argument>& arguments = forward->getSchema().arguments();  // the module itself is the first
  std::size_t needed = 0;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (!arguments[i].default_value()) needed = i;
  }
  if (part.inputs.size() >= needed && part.inputs.size() < arguments.size()) return;
  std::vector<std::string> wanted;
  for (const Port& port : part.inputs) wanted.push_back(port.name);
  throw Error(ErrorKind::model,
              core::sentence("{} takes {} inputs ({}); the part is given {} ({}).", file, arguments.size() - 1,
                             input_names(type), wanted.size(), core::joined(wanted)),
              "It is the graph of another network, or exported otherwise: export it anew");
}

}  // namespace

std::string input_names(const c10::ClassType& type) {
  const torch::jit::Function* const forward = type.findMethod("forward");
  if (forward == nullptr) return "";
  const std::vector<c10::Argument>& arguments = forward->getSchema().arguments();
  std::vector<std::string> names;
  for (std::size_t i = 1; i < arguments.size(); ++i) names.push_back(arguments[i].name());
  return core::joined(names);
}

void scan_graph(const c10::intrusive_ptr<c10::ivalue::Object>& module, const Part& part) {
  const std::string file = part.graph.string();
  GraphScan(file).scan(module);
  check_arguments(*module->type(), part, file);
}

}  // namespace lapis::engine
