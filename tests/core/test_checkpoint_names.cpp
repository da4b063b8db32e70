#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/checkpoint_names.hpp"
#include "golden.hpp"
#include "graph_shapes.hpp"

using namespace lapis::core;
using lapis::test::graph_names;
using lapis::test::graph_tensors;

namespace {

KeyScheme naming_called(const std::string& name) {
  const auto row = std::ranges::find(key_schemes(), name, &KeySchemeRow::name);
  REQUIRE(row != key_schemes().end());
  return row->key_scheme;
}

/// `name` with the longest of its beginnings, in whole components, that `table` knows replaced.
std::string looked_up(std::string_view name, const nlohmann::json& table) {
  for (std::size_t length = name.size();; length = name.rfind('.', length - 1)) {
    if (length == std::string_view::npos) length = 0;
    const std::string begin(name.substr(0, length));
    if (table.contains(begin)) {
      std::string found = table.at(begin);
      if (length == name.size()) return found;
      return found + (found.empty() ? "" : ".") + std::string(name.substr(length == 0 ? 0 : length + 1));
    }
    if (length == 0) return "";
  }
}

TensorLocation golden_place(const std::string& name, const nlohmann::json& golden) {
  if (!golden.at("parts").contains(name)) return {looked_up(name, golden.at("whole")), {}, false};
  const nlohmann::json& part = golden.at("parts").at(name);
  TensorLocation place{part.at(0), {}, part.at(2)};
  for (const nlohmann::json& range : part.at(1)) place.rows.push_back({range.at(0), range.at(1)});
  return place;
}

/// The names of `graph` that do not lie where the golden says.
std::vector<std::string> misplaced(const std::vector<TensorShape>& graph, const nlohmann::json& golden) {
  const std::vector<TensorLocation> found = places(naming_called(golden.at("naming")), graph);
  std::vector<std::string> wrong;
  for (std::size_t i = 0; i < graph.size(); ++i) {
    if (found[i] != golden_place(graph[i].name, golden)) wrong.push_back(graph[i].name);
  }
  return wrong;
}

/// How often each row of each tensor of a checkpoint is asked for, where that is not once.
std::vector<std::string> unevenly_used(KeyScheme key_scheme, const std::vector<TensorShape>& graph) {
  std::map<std::string, std::vector<RowRange>> ranges;
  const std::vector<TensorLocation> found = places(key_scheme, graph);
  for (std::size_t i = 0; i < graph.size(); ++i) {
    std::vector<RowRange>& used = ranges[found[i].name];
    if (found[i].rows.empty()) used.push_back({0, graph[i].shape[found[i].transposed ? 1 : 0]});
    used.insert(used.end(), found[i].rows.begin(), found[i].rows.end());
  }
  std::vector<std::string> uneven;
  for (const TensorShape& tensor : checkpoint_tensors(key_scheme, graph)) {
    std::vector<RowRange>& used = ranges[tensor.name];
    std::ranges::sort(used, {}, &RowRange::first);
    std::int64_t next = 0;
    for (const RowRange& range : used) next = range.first == next ? next + range.count : -1;
    if (next != tensor.shape[0]) uneven.push_back(tensor.name);
  }
  return uneven;
}

}  // namespace

TEST_CASE("diffusers' converters find every tensor where the namings say") {
  std::set<std::string> graphs;
  for (const nlohmann::json& golden : lapis::test::golden_cases("checkpoint_names")) {
    const std::vector<TensorShape> graph = graph_tensors(golden.at("graph"));
    CAPTURE(golden.at("graph"), golden.at("naming"));
    REQUIRE(graph.size() == golden.at("tensors").get<std::size_t>());
    CHECK(misplaced(graph, golden).empty());
    graphs.insert(golden.at("graph"));
  }
  CHECK(graphs.size() == graph_names.size() - 1);  // T5 has transformers' names everywhere
}

TEST_CASE("a golden with two places changed is not met") {
  for (nlohmann::json golden : lapis::test::golden_cases("checkpoint_names")) {
    const std::vector<TensorShape> graph = graph_tensors(golden.at("graph"));
    CAPTURE(golden.at("graph"));
    nlohmann::json& table = golden.at(golden.at("parts").empty() ? "whole" : "parts");
    if (table.size() < 2) table[graph.front().name] = "elsewhere";
    if (table.size() > 1) std::swap(*table.begin(), *std::next(table.begin()));
    CHECK(!misplaced(graph, golden).empty());
  }
}

TEST_CASE("every graph has each row of each tensor in every naming that applies, once") {
  for (const std::string& name : graph_names) {
    const std::vector<TensorShape> graph = graph_tensors(name);
    for (const KeySchemeRow& row : key_schemes()) {
      if (!applies(row.key_scheme, graph)) continue;
      CAPTURE(name, row.name);
      CHECK(unevenly_used(row.key_scheme, graph).empty());
    }
  }
}

TEST_CASE("two parameters in one place are found") {
  std::vector<TensorShape> graph = graph_tensors("sd15-unet");
  const auto swapped = std::ranges::find(graph, "mid_block.resnets.0.conv1.weight", &TensorShape::name);
  swapped->name = "mid_block.resnets.1.conv1.weight";
  CHECK(unevenly_used(KeyScheme::ldm_unet, graph) == std::vector<std::string>{"middle_block.2.in_layers.2.weight"});
}

TEST_CASE("namings apply to the graphs they are for") {
  const std::map<std::string, std::size_t> counts = {
      {"sd15-unet", 2},      {"sdxl-refiner-unet", 2}, {"flux-dev", 2}, {"flux-schnell", 2},
      {"sd-vae-decoder", 3}, {"flux-vae-encoder", 3},  {"clip-l", 3},   {"clip-g", 4},
      {"t5-xxl", 3}};
  for (const auto& [name, count] : counts) {
    const std::vector<TensorShape> graph = graph_tensors(name);
    CAPTURE(name);
    CHECK(std::ranges::count_if(key_schemes(), [&](const KeySchemeRow& row) {
            return applies(row.key_scheme, graph);
          }) == static_cast<std::ptrdiff_t>(count));
  }
}

TEST_CASE("the other names of a VAE's attention, of CLIP and of T5's embedding") {
  const auto name_in = [](KeyScheme key_scheme, const std::string& name) {
    return places(key_scheme, std::vector<TensorShape>{{name, {4, 4}}}).front().name;
  };
  const std::string attention = "decoder.mid_block.attentions.0.";
  CHECK(name_in(KeyScheme::diffusers_old, attention + "to_q.weight") == attention + "query.weight");
  CHECK(name_in(KeyScheme::diffusers_old, attention + "to_out.0.bias") == attention + "proj_attn.bias");
  CHECK(name_in(KeyScheme::diffusers_old, attention + "group_norm.bias") == attention + "group_norm.bias");
  CHECK(name_in(KeyScheme::clip_bare, "text_model.final_layer_norm.bias") == "final_layer_norm.bias");
  CHECK(name_in(KeyScheme::clip_bare, "text_projection.weight") == "text_projection.weight");
  CHECK(name_in(KeyScheme::t5_tied, "shared.weight") == "encoder.embed_tokens.weight");
  CHECK(name_in(KeyScheme::t5_tied, "encoder.final_layer_norm.weight") == "encoder.final_layer_norm.weight");
}

TEST_CASE("fused tensors have the height of their parts") {
  const auto shape_of = [](KeyScheme key_scheme, const std::string& graph, const std::string& name) {
    const std::vector<TensorShape> tensors = checkpoint_tensors(key_scheme, graph_tensors(graph));
    const auto found = std::ranges::find(tensors, name, &TensorShape::name);
    return found == tensors.end() ? std::vector<std::int64_t>{} : found->shape;
  };
  using Shape = std::vector<std::int64_t>;
  CHECK(shape_of(KeyScheme::flux, "flux-dev", "single_blocks.37.linear1.weight") == Shape{21504, 3072});
  CHECK(shape_of(KeyScheme::flux, "flux-dev", "double_blocks.18.txt_attn.qkv.bias") == Shape{9216});
  CHECK(shape_of(KeyScheme::flux, "flux-dev", "final_layer.adaLN_modulation.1.weight") == Shape{6144, 3072});
  CHECK(shape_of(KeyScheme::open_clip, "clip-g", "transformer.resblocks.31.attn.in_proj_weight") == Shape{3840, 1280});
  CHECK(checkpoint_tensors(KeyScheme::flux, graph_tensors("flux-dev")).size() == 780);  // as published
}
