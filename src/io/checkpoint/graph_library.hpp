// Graphs of known architectures, which checkpoints are matched with: those of models/graphs, and those of models.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/checkpoint/checkpoint_kind.hpp"
#include "lapis/model.hpp"

namespace lapis::io {

/// A graph and what goes in and out of it.
struct LibraryGraph {
  core::KnownGraph known;
  std::filesystem::path file;  ///< TorchScript
  std::vector<Port> inputs;
  std::vector<Port> outputs;
};

/// Graphs by name, and the architectures that they are of: what a part is called, and the tensors that it needs.
/// Whatever is added, an architecture keeps the name of the first graph that is of it.
class GraphLibrary {
 public:
  /// Takes every NAME.json of `folder`, with its NAME.pt, by name. A folder that is not there has none. Throws
  /// Error{model} for a description that the grammar (docs/model-folder.md) does not allow, and for a graph that is
  /// missing.
  explicit GraphLibrary(const std::filesystem::path& folder);

  /// Takes the graphs of a model that has weights beside them, as "MODEL:PART" by its folder's name: another checkpoint
  /// of their architecture can be bound to them. The weights are not looked at, and a graph that cannot be read is
  /// passed over.
  void add(const Model& model);

  /// One graph of each architecture.
  std::span<const core::KnownGraph> architectures() const { return architectures_; }

  /// The name of the architecture of the graph `name`; "" where there is no such graph.
  std::string architecture_of(const std::string& name) const;

  /// The graph `name`, which must be there.
  LibraryGraph graph(const std::string& name) const;

 private:
  struct Held {
    LibraryGraph graph;  ///< its tensors are those of the architecture
    std::size_t architecture;
  };

  void take(LibraryGraph graph, const std::string& digest);
  std::size_t place_of(const core::KnownGraph& known);

  std::vector<core::KnownGraph> architectures_;
  std::map<std::string, Held> graphs_;
  std::map<std::pair<std::string, std::string>, std::size_t> digests_;  ///< (sha256 of a graph, part) -> architecture
};

/// The name that the library has for a part of a model.
std::string graph_name(const Model& model, const std::string& part);

}  // namespace lapis::io
