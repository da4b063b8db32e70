// model.json, written. docs/model-folder.md is the grammar.
#pragma once

#include <string>

#include "lapis/model.hpp"

namespace lapis::io {

/// The document of a model whose paths lie below its folder (links are named by where they lie, not by where they
/// lead). `read_model` gives the model back.
std::string model_document(const Model& model);

}  // namespace lapis::io
