// The tensors of the graphs in models/graphs, for tests.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/checkpoint/checkpoint_names.hpp"
#include "golden.hpp"

namespace lapis::test {

/// Names of all graphs in models/graphs.
inline const std::vector<std::string> graph_names = {
    "sd15-unet",      "sd15-inpaint-unet", "sdxl-unet",        "sdxl-refiner-unet", "flux-dev", "flux-schnell",
    "sd-vae-decoder", "sd-vae-encoder",    "flux-vae-decoder", "flux-vae-encoder",  "clip-l",   "clip-g",
    "t5-xxl",
};

inline nlohmann::json graph_facts(const std::string& name) {
  return nlohmann::json::parse(read_text("../models/graphs/" + name + ".json"));
}

inline std::vector<core::TensorShape> graph_tensors(const std::string& name) {
  std::vector<core::TensorShape> tensors;
  const nlohmann::json facts = graph_facts(name);
  for (const auto& [tensor, shape] : facts.at("tensors").items()) {
    tensors.push_back({tensor, shape.get<std::vector<std::int64_t>>()});
  }
  return tensors;
}

}  // namespace lapis::test
