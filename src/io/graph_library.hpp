// Graphs of known architectures (models/graphs), which checkpoints are held against.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/checkpoint_kind.hpp"
#include "lapis/model.hpp"

namespace lapis::io {

/// A graph and what goes in and out of it.
struct LibraryGraph {
  core::KnownGraph known;
  std::filesystem::path file;  ///< TorchScript
  std::vector<Port> inputs;
  std::vector<Port> outputs;
};

/// Every NAME.json of `folder`, with its NAME.pt, by name. A folder that is not there has none. Throws Error{model} for
/// a description that the grammar (docs/model-folder.md) does not allow, and for a graph that is missing.
std::vector<LibraryGraph> read_graph_library(const std::filesystem::path& folder);

/// The graphs of a model that has weights beside them, named "MODEL:PART": another checkpoint of its architecture can
/// be bound to them.
std::vector<LibraryGraph> graphs_of(const Model& model);

}  // namespace lapis::io
