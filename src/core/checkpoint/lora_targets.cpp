#include "core/checkpoint/lora_targets.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace lapis::core {
namespace {

/// The module of a tensor's name; OpenCLIP's fused projections have no dot before "weight".
std::optional<std::string> module_of(const std::string& name, std::string_view kind) {
  for (const char separator : {'.', '_'}) {
    const std::string ending = separator + std::string(kind);
    if (name.ends_with(ending)) return name.substr(0, name.size() - ending.size());
  }
  return std::nullopt;
}

}  // namespace

LoraTargets::LoraTargets(std::span<const TensorShape> graph) {
  for (const KeySchemeRow& row : key_schemes()) {
    if (applies(row.key_scheme, graph)) add(row.key_scheme, graph);
  }
  add_fused_attention();
  for (Modules* modules : {&weights_, &biases_}) add_split_layers(*modules);
  for (const auto* modules : {&weights_, &biases_}) {
    for (const auto& [name, module] : *modules) {
      std::string underscored = name;
      std::replace(underscored.begin(), underscored.end(), '.', '_');
      dotted_.emplace(std::move(underscored), name);
    }
  }
}

void LoraTargets::add(KeyScheme key_scheme, std::span<const TensorShape> graph) {
  std::map<std::string, std::vector<std::int64_t>> shapes;
  for (TensorShape& tensor : checkpoint_tensors(key_scheme, graph)) shapes[tensor.name] = std::move(tensor.shape);
  const std::vector<TensorLocation> where = places(key_scheme, graph);
  Modules weights;
  Modules biases;
  for (std::size_t i = 0; i < graph.size(); ++i) {
    tensors_.insert(where[i].name);
    if (where[i].transposed) continue;  // no trainer calls a module so
    for (const auto& [kind, modules] : {std::pair("weight", &weights), std::pair("bias", &biases)}) {
      const std::optional<std::string> name = module_of(where[i].name, kind);
      if (!name) continue;
      LoraModule& module = (*modules)[*name];
      module.shape = shapes.at(where[i].name);
      module.targets.push_back({graph[i].name, where[i].rows});
    }
  }
  weights_.merge(weights);  // names that an earlier key scheme has already stay as they are
  biases_.merge(biases);
}

void LoraTargets::add_fused_attention() {
  // XLabs trains q, k and v of Flux' single blocks alone, the first rows of linear1.
  constexpr std::string_view fused = ".linear1";
  Modules added;
  for (const auto& [name, module] : weights_) {
    if (!name.starts_with("single_blocks.") || !name.ends_with(fused)) continue;
    LoraModule attention{module.shape, {}};
    attention.shape[0] = 0;
    for (const LoraTarget& target : module.targets) {
      if (target.parameter.find(".attn.to_") == std::string::npos) continue;
      attention.targets.push_back(target);
      for (const RowRange& range : target.rows) attention.shape[0] += range.count;
    }
    added.emplace(name + ".qkv", std::move(attention));
  }
  weights_.merge(added);
}

void LoraTargets::add_split_layers(Modules& modules) {
  // OMI (OneTrainer) keeps the pieces of Flux' fused layers apart, numbered in the order of their rows.
  Modules added;
  for (const auto& [name, module] : modules) {
    const bool block = name.starts_with("double_blocks.") || name.starts_with("single_blocks.");
    if (name == "img_in") added.emplace("img_in.proj", module);
    if (!block || module.targets.size() < 2 || name.ends_with(".linear1.qkv")) continue;
    std::vector<LoraTarget> pieces = module.targets;
    std::ranges::sort(pieces, {}, [](const LoraTarget& piece) { return piece.rows.front().first; });
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      LoraModule piece{module.shape, {{pieces[i].parameter, {}}}};
      piece.shape[0] = 0;
      for (const RowRange& range : pieces[i].rows) piece.shape[0] += range.count;
      added.emplace(name + "." + std::to_string(i), std::move(piece));
    }
  }
  modules.merge(added);
}

const LoraModule* LoraTargets::find(const Modules& modules, std::string_view module, bool underscored) const {
  if (underscored) {
    const auto name = dotted_.find(module);
    if (name == dotted_.end()) return nullptr;
    module = name->second;
  }
  const auto found = modules.find(module);
  return found == modules.end() ? nullptr : &found->second;
}

bool LoraTargets::names(std::string_view tensor, bool underscored) const {
  if (!underscored) return tensors_.contains(tensor);
  const std::size_t dot = tensor.rfind('.');
  if (dot == std::string_view::npos) return false;
  const std::string_view kind = tensor.substr(dot);
  return (kind == ".weight" || kind == ".bias") && dotted_.contains(tensor.substr(0, dot));
}

const LoraModule* LoraTargets::weight(std::string_view module, bool underscored) const {
  return find(weights_, module, underscored);
}

const LoraModule* LoraTargets::bias(std::string_view module, bool underscored) const {
  return find(biases_, module, underscored);
}

}  // namespace lapis::core
