// TorchScript graphs.
#pragma once

#include <memory>

#include "engine/placement.hpp"
#include "engine/runner.hpp"
#include "lapis/model.hpp"

namespace lapis::engine {

/// The graph of `part`, parsed and looked at (engine/graph_scan.hpp), its constant tables on the placement's device,
/// its parameters not yet bound; those of a graph that holds its weights are placed and converted. The file must have
/// passed `io::check_graph_archive`. Throws Error{model} for what the look refuses, and what libtorch throws.
std::unique_ptr<Runner> load_torchscript(const Part& part, Placement placement);

}  // namespace lapis::engine
