// Which parameters of a graph the modules are that a LoRA speaks of, under every name that programs have for them.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/checkpoint_names.hpp"

namespace lapis::core {

/// A parameter, and the rows that it is of its module.
struct LoraTarget {
  std::string parameter;       ///< of the graph
  std::vector<RowRange> rows;  ///< of the module's weight, in this order; empty: all of it
  bool operator==(const LoraTarget&) const = default;
};

/// A linear layer or a convolution. Some programs fuse several of a graph's: then it is several parameters.
struct LoraModule {
  std::vector<std::int64_t> shape;  ///< of its weight, or of its bias: all rows
  std::vector<LoraTarget> targets;
};

/// Every module of one graph, by the names that `core::key_schemes` give its tensors, with dots and with underscores.
class LoraTargets {
 public:
  explicit LoraTargets(std::span<const TensorShape> graph);

  /// The module's weight; null where the graph has none of that name.
  const LoraModule* weight(std::string_view module, bool underscored) const;

  /// The module's bias; null where the graph has none of that name.
  const LoraModule* bias(std::string_view module, bool underscored) const;

  /// Whether a checkpoint of the graph, of any key scheme, has a tensor of this name; where it is underscored, whether
  /// that is a module's and ".weight" or ".bias".
  bool names(std::string_view tensor, bool underscored) const;

 private:
  using Modules = std::map<std::string, LoraModule, std::less<>>;

  void add(KeyScheme key_scheme, std::span<const TensorShape> graph);
  void add_fused_attention();
  static void add_split_layers(Modules& modules);
  const LoraModule* find(const Modules& modules, std::string_view module, bool underscored) const;

  Modules weights_;
  Modules biases_;
  std::set<std::string, std::less<>> tensors_;
  std::map<std::string, std::string, std::less<>> dotted_;  ///< the name with dots of one with underscores
};

}  // namespace lapis::core
