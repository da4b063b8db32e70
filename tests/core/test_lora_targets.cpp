#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "core/checkpoint/lora_plan.hpp"
#include "core/checkpoint/lora_targets.hpp"
#include "golden.hpp"
#include "graph_shapes.hpp"

using namespace lapis;
using namespace lapis::core;
using nlohmann::json;

namespace {

struct Place {
  std::string parameter;
  std::vector<std::pair<std::int64_t, std::int64_t>> rows;
  auto operator<=>(const Place&) const = default;
};

std::int64_t rows_of(const std::vector<Place>& places, std::int64_t whole) {
  std::int64_t sum = 0;
  for (const Place& place : places) {
    for (const auto& [first, count] : place.rows) sum += count;
  }
  return sum == 0 ? whole : sum;
}

/// What the golden says of one module.
std::vector<Place> golden_places(const json& entry) {
  if (entry.is_string()) return {{entry.get<std::string>() + ".weight", {}}};
  std::vector<Place> places;
  for (const json& target : entry) {
    Place place{target.at(0).get<std::string>() + ".weight", {}};
    for (std::size_t i = 1; i < target.size(); ++i) place.rows.emplace_back(target[i].at(0), target[i].at(1));
    places.push_back(std::move(place));
  }
  return places;
}

/// What lapis makes of a LoRA of rank 1 that has all modules of a case, by the name of each one's first factor.
std::map<std::string, std::vector<Place>> planned(const LoraFile& file, const LoraModel& model) {
  std::map<std::string, std::vector<Place>> places;
  for (const auto& [part, delta] : plan_lora(file, model, {}).deltas) {
    places[delta.tensors.at("down")].push_back({delta.parameter, delta.rows});
  }
  for (auto& [name, found] : places) std::sort(found.begin(), found.end());
  return places;
}

}  // namespace

TEST_CASE("modules of every trainer lead where diffusers' converters bring them") {
  std::map<std::string, std::size_t> modules;
  for (const json& one : lapis::test::golden_cases("lora_names")) {
    const std::string graph = one.at("graph");
    const std::vector<TensorShape> tensors = lapis::test::graph_tensors(graph);
    const LoraModel model{graph, "any", {{one.at("part"), tensors}}};
    const auto down = one.at("ends").at(0).get<std::string>();
    const auto up = one.at("ends").at(1).get<std::string>();
    std::map<std::string, std::vector<std::int64_t>> shapes;
    for (const TensorShape& tensor : tensors) shapes[tensor.name] = tensor.shape;
    LoraFile file{"a.safetensors", {}, {}, {}};
    std::map<std::string, std::vector<Place>> expected;
    for (const auto& [key, entry] : one.at("modules").items()) {
      std::vector<Place>& places = expected[key + down] = golden_places(entry);
      std::sort(places.begin(), places.end());
      const std::vector<std::int64_t>& shape = shapes.at(places.front().parameter);
      const std::int64_t columns =
          std::accumulate(shape.begin() + 1, shape.end(), std::int64_t{1}, std::multiplies<>());
      file.tensors.push_back({key + down, {1, columns}});
      file.tensors.push_back({key + up, {rows_of(places, shape[0]), 1}});
    }
    const std::map<std::string, std::vector<Place>> found = planned(file, model);
    CHECK(found.size() == expected.size());
    for (const auto& [name, places] : expected) {
      INFO(graph << ", " << one.at("form") << ": " << name);
      REQUIRE(found.contains(name));
      CHECK(found.at(name) == places);
    }
    modules[graph] += expected.size();
  }
  CHECK(modules["sd15-unet"] == 282 + 128);
  CHECK(modules["sdxl-unet"] == 264 + 264);
  CHECK(modules["flux-dev"] == 39 + 39 + 12 + 56);
  CHECK(modules["clip-l"] + modules["clip-g"] == 24 + 24);
  CHECK(modules["t5-xxl"] == 14);
}

TEST_CASE("every linear layer and convolution of every graph has a module, and so has its bias") {
  for (const std::string& name : lapis::test::graph_names) {
    const std::vector<TensorShape> tensors = lapis::test::graph_tensors(name);
    const LoraTargets targets(tensors);
    for (const TensorShape& tensor : tensors) {
      INFO(name << ": " << tensor.name);
      std::string module = tensor.name.substr(0, tensor.name.rfind('.'));
      const bool weight = tensor.name.ends_with(".weight");
      const LoraModule* dotted = weight ? targets.weight(module, false) : targets.bias(module, false);
      std::replace(module.begin(), module.end(), '.', '_');
      const LoraModule* underscored = weight ? targets.weight(module, true) : targets.bias(module, true);
      REQUIRE(dotted != nullptr);
      CHECK(dotted == underscored);
      CHECK(dotted->shape == tensor.shape);
      CHECK(dotted->targets == std::vector<LoraTarget>{{tensor.name, {}}});
    }
    CHECK(targets.weight("no.such.module", false) == nullptr);
    CHECK(targets.bias("no_such_module", true) == nullptr);
  }
}

TEST_CASE("a graph's tensors are known under every checkpoint's name") {
  const LoraTargets targets(lapis::test::graph_tensors("flux-dev"));
  CHECK(targets.names("double_blocks.0.img_attn.norm.key_norm.scale", false));
  CHECK(targets.names("transformer_blocks.0.attn.norm_k.weight", false));
  CHECK_FALSE(targets.names("double_blocks.0.img_attn.norm.key_norm", false));
  CHECK(targets.names("transformer_blocks_0_attn_norm_k.weight", true));
  CHECK_FALSE(targets.names("transformer_blocks_0_attn_norm_k.scale", true));
  CHECK_FALSE(targets.names("transformer_blocks_0_attn_norm_k", true));
}

TEST_CASE("pieces of Flux' fused layers have numbers, and their rows are whole parameters") {
  const LoraTargets targets(lapis::test::graph_tensors("flux-dev"));
  const LoraModule* key = targets.weight("double_blocks.3.txt_attn.qkv.1", false);
  REQUIRE(key != nullptr);
  CHECK(key->targets == std::vector<LoraTarget>{{"transformer_blocks.3.attn.add_k_proj.weight", {}}});
  CHECK(key->shape == std::vector<std::int64_t>{3072, 3072});
  const LoraModule* mlp = targets.bias("single_blocks.3.linear1.3", false);
  REQUIRE(mlp != nullptr);
  CHECK(mlp->targets == std::vector<LoraTarget>{{"single_transformer_blocks.3.proj_mlp.bias", {}}});
  CHECK(mlp->shape == std::vector<std::int64_t>{12288});
  CHECK(targets.weight("single_blocks.3.linear1.4", false) == nullptr);
  CHECK(targets.weight("img_in.proj", false) != nullptr);
}

TEST_CASE("OpenCLIP's fused projection is three parameters") {
  const LoraTargets targets(lapis::test::graph_tensors("clip-g"));
  const LoraModule* fused = targets.weight("transformer.resblocks.3.attn.in_proj", false);
  REQUIRE(fused != nullptr);
  CHECK(fused->shape == std::vector<std::int64_t>{3840, 1280});
  REQUIRE(fused->targets.size() == 3);
  for (const LoraTarget& target : fused->targets) {
    const std::int64_t first = target.parameter.find("q_proj") != std::string::npos   ? 0
                               : target.parameter.find("k_proj") != std::string::npos ? 1280
                                                                                      : 2560;
    CHECK(target.rows == std::vector<RowRange>{{first, 1280}});
  }
}
