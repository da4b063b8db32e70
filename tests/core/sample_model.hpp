// A checked model without files, for the tests of core.
#pragma once

#include "core/families.hpp"
#include "lapis/model.hpp"

namespace lapis::test {

/// A model of family sd15 that `check_model` accepts: what tests change one thing of.
inline Model sample_model() {
  Model model;
  model.folder = "models/sample";
  model.name = "sample";
  model.family = "sd15";
  model.space = *core::find_space("sd15");
  model.space.lineage = "sample";
  for (const core::PartRow& row : core::find_family("sd15")->parts) {
    model.parts[row.name] = {"graph.pt", {}, row.inputs, row.outputs};
  }
  for (Port& port : model.parts.at("text_encoder").outputs) {
    if (port.name != "pooled") port.shape.front() = std::int64_t{13};  // the embeddings and 12 layers
  }
  TokenizerFacts tokenizer;
  tokenizer.start = 895;
  tokenizer.end = 896;
  tokenizer.pad = 896;
  model.tokenizers["tokenizer"] = tokenizer;
  model.defaults = {128, 192, 20, "euler", 7.5};
  return model;
}

}  // namespace lapis::test
