// model.json, written. docs/model-folder.md is the grammar.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "lapis/model.hpp"

namespace lapis::io {

/// The document of a model whose paths lie below its folder (links are named by where they lie, not by where they
/// lead). `read_model` gives the model back.
std::string model_document(const Model& model);

/// Sections of model.json, for the document and for reports.
nlohmann::ordered_json space_json(const Space& space);
nlohmann::ordered_json ports_json(const std::vector<Port>& ports);
nlohmann::ordered_json sampling_json(const SamplingFacts& facts);
nlohmann::ordered_json taught_json(const Taught& taught);

}  // namespace lapis::io
