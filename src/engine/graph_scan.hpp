// What a parsed graph holds, looked at before anything of it runs.
#pragma once

#include <ATen/core/ivalue.h>
#include <string>

#include "lapis/model.hpp"

namespace lapis::engine {

/// Walks every function of the module's compilation unit, with all inner blocks, and refuses operators that reach
/// beyond tensors (core/checkpoint/graph_ops.hpp), functions that are no graphs, and classes written in C++; every
/// tensor that lies outside of its own storage; and a forward that does not take as many inputs as `part` has. `module`
/// has been loaded and not run. Throws Error{model}. io::check_graph_archive has read the text before; this sees what
/// libtorch made of it.
void scan_graph(const c10::intrusive_ptr<c10::ivalue::Object>& module, const Part& part);

/// As the graph itself calls the inputs of its forward: "sample, timestep".
std::string input_names(const c10::ClassType& type);

}  // namespace lapis::engine
