#include "core/checkpoint/graph_ops.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <unordered_map>

#include "core/text/sentence.hpp"

namespace lapis::core {
namespace {

constexpr std::string_view writes_file = "writes a file";
constexpr std::string_view maps_file = "maps a file of this machine";
constexpr std::string_view writes_terminal = "writes to the terminal";
constexpr std::string_view python = "calls Python";
constexpr std::string_view threads = "starts work beside the graph's own";
constexpr std::string_view network = "talks to other machines";
constexpr std::string_view global_state = "changes the state of the whole process";
constexpr std::string_view unchecked_memory = "can reach memory that is not a tensor's own";
constexpr std::string_view counters = "leaves numbers behind in the process";
constexpr std::string_view unknown_prim = "is no part of the language that a graph of tensors needs";
constexpr std::string_view unknown_space = "is of a namespace that lapis does not run";

// The operators of libtorch 2.11's registry (torch._C._jit_get_all_schemas) that reach beyond the tensors they are
// given.
constexpr std::array<RefusedOperator, 46> refused_operator_rows = {{
    {"aten::save", writes_file},
    {"aten::from_file", maps_file},
    {"aten::_print", writes_terminal},
    {"aten::seed", global_state},
    {"aten::manual_seed", global_state},
    {"aten::_cufft_clear_plan_cache", global_state},
    {"aten::_cufft_set_plan_cache_max_size", global_state},
    {"aten::record_stream", global_state},
    {"aten::set", unchecked_memory},
    {"aten::set_", unchecked_memory},
    {"aten::set_data", unchecked_memory},
    {"aten::_nested_view_from_buffer", unchecked_memory},
    {"aten::_nested_view_from_buffer_copy", unchecked_memory},
    {"aten::_nested_view_from_jagged", unchecked_memory},
    {"aten::_nested_view_from_jagged_copy", unchecked_memory},
    {"aten::_sparse_coo_tensor_unsafe", unchecked_memory},
    {"aten::_sparse_compressed_tensor_unsafe", unchecked_memory},
    {"aten::_sparse_csr_tensor_unsafe", unchecked_memory},
    {"aten::_sparse_csc_tensor_unsafe", unchecked_memory},
    {"aten::_sparse_bsr_tensor_unsafe", unchecked_memory},
    {"aten::_sparse_bsc_tensor_unsafe", unchecked_memory},
    {"aten::_unsafe_index", unchecked_memory},
    {"aten::_unsafe_index_put", unchecked_memory},
    {"aten::_unsafe_masked_index", unchecked_memory},
    {"aten::_unsafe_masked_index_put_accumulate", unchecked_memory},
    {"aten::owner", network},
    {"aten::owner_name", network},
    {"aten::is_owner", network},
    {"aten::confirmed_by_owner", network},
    {"aten::local_value", network},
    {"aten::to_here", network},
    {"aten::dist_backward", network},
    {"prim::PythonOp", python},
    {"prim::IgnoredPythonOp", python},
    {"prim::Print", writes_terminal},
    {"prim::fork", threads},
    {"prim::awaitable", threads},
    {"prim::awaitable_nowait", threads},
    {"prim::awaitable_wait", threads},
    {"prim::rpc_async", network},
    {"prim::rpc_sync", network},
    {"prim::rpc_remote", network},
    {"prim::AddStatValue", counters},
    {"prim::TimePoint", counters},
    {"prim::BailOut", "is made by libtorch while it runs, and never stands in a file"},
    {"prim::FusionGroup", "is made by libtorch while it runs, and never stands in a file"},
}};

// The language: constants, attributes, calls, containers, control flow, and questions about a tensor.
constexpr std::array language = std::to_array<std::string_view>({
    "Constant",
    "GetAttr",
    "SetAttr",
    "HasAttr",
    "CallMethod",
    "CallFunction",
    "CreateObject",
    "If",
    "Loop",
    "LoopContinuation",
    "Param",
    "Return",
    "Store",
    "Load",
    "Drop",
    "Enter",
    "Exit",
    "Closure",
    "ListConstruct",
    "ListUnpack",
    "TupleConstruct",
    "TupleUnpack",
    "TupleIndex",
    "TupleSlice",
    "DictConstruct",
    "ConstantChunk",
    "NumToTensor",
    "ImplicitTensorToNum",
    "RaiseException",
    "Uninitialized",
    "StringIndex",
    "ModuleContainerIndex",
    "isinstance",
    "unchecked_cast",
    "rangelist",
    "unchecked_unwrap_optional",
    "tolist",
    "EnumName",
    "EnumValue",
    "index",
    "abs",
    "max",
    "min",
    "data",
    "device",
    "dtype",
    "layout",
    "shape",
    "name",
    "type",
    "grad",
    "requires_grad",
    "itemsize",
    "nbytes",
    "is_cpu",
    "is_cuda",
    "is_ipu",
    "is_maia",
    "is_meta",
    "is_mkldnn",
    "is_mps",
    "is_mtia",
    "is_nested",
    "is_quantized",
    "is_sparse",
    "is_sparse_csr",
    "is_vulkan",
    "is_xla",
    "is_xpu",
    "IfThenElse",
    "VarConcat",
    "VarStack",
});

constexpr std::array words = {
    RefusedOperator{"print", writes_terminal}, RefusedOperator{"fork", threads},
    RefusedOperator{"awaitable", threads},     RefusedOperator{"awaitable_wait", threads},
    RefusedOperator{"rpc_async", network},     RefusedOperator{"rpc_sync", network},
    RefusedOperator{"rpc_remote", network},
};

const std::unordered_map<std::string_view, std::string_view>& refused_by_name() {
  static const auto table = [] {
    std::unordered_map<std::string_view, std::string_view> made;
    for (const RefusedOperator& row : refused_operator_rows) made.emplace(row.name, row.why);
    return made;
  }();
  return table;
}

}  // namespace

std::span<const RefusedOperator> refused_operators() { return refused_operator_rows; }

std::string_view operator_fault(std::string_view space, std::string_view name) {
  std::string whole(space);
  whole += "::";
  whole += name;
  const auto& table = refused_by_name();
  if (const auto row = table.find(whole); row != table.end()) return row->second;
  if (space == "aten") return "";
  if (space != "prim") return unknown_space;
  return std::find(language.begin(), language.end(), name) != language.end() ? "" : unknown_prim;
}

std::string_view word_fault(std::string_view word) {
  const auto* const row =
      std::find_if(words.begin(), words.end(), [&](const RefusedOperator& each) { return each.name == word; });
  return row == words.end() ? "" : row->why;
}

bool reaches_files(std::string_view name) {
  const std::string_view why = operator_fault("aten", name);
  return why == writes_file || why == maps_file;
}

Error refusal(ErrorKind kind, std::string_view file, std::string_view what) {
  return Error(kind, sentence("{} is refused: {}.", file, what),
               "No picture needs that: take the model from a source that you trust, or export it again without it.");
}

}  // namespace lapis::core
