// A checked model without files.
#pragma once

#include <string>

#include "core/family/families.hpp"
#include "core/family/spaces.hpp"
#include "lapis/model.hpp"

namespace lapis::test {

/// A model of this family that `check_model` accepts: what tests change one thing of.
inline Model sample_model(const std::string& family = "sd15") {
  const core::FamilyRow& row = *core::find_family(family);
  Model model;
  model.folder = "models/sample";
  model.name = "sample";
  model.family = family;
  model.space = core::find_space(row.space)->space;
  model.space.lineage = "sample";
  for (const core::PartRow& part : row.parts) {
    model.parts[part.name] = {"graph.pt", {}, part.inputs, part.outputs};
    for (const Port& port : part.optional_inputs) model.parts[part.name].inputs.push_back(port);
  }
  for (auto& [name, part] : model.parts) {
    for (Port& port : part.outputs) {
      const bool layered = port.name == "states" || port.name == "normed";
      if (layered) port.shape.front() = std::int64_t{13};  // the embeddings and 12 layers
    }
  }
  for (const core::TokenizerRow& each : row.tokenizers) {
    TokenizerFacts& tokenizer = model.tokenizers[each.name];
    tokenizer.kind = each.kind;
    tokenizer.start = 895;
    tokenizer.end = 896;
    tokenizer.pad = 896;
  }
  if (row.architecture == core::Architecture::flux) model.conditioning.rope_axes = {16, 56, 56};
  model.sampling.prediction = row.predictions.front();
  model.defaults = {128, 192, 20, "euler", 7.5};
  return model;
}

/// A flux model whose denoiser reads no guidance.
inline Model schnell_model() {
  Model model = sample_model("flux");
  model.parts["denoiser"].inputs.pop_back();
  return model;
}

}  // namespace lapis::test
