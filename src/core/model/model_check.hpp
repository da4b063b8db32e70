// Whether a model folder is one of a family that lapis knows.
#pragma once

#include <string>
#include <vector>

#include "lapis/model.hpp"

namespace lapis::core {

/// Compares what model.json says with its family's row: family and space known, the space's numbers equal to the row's,
/// required parts and tokenizers present, no unknown part, ports as the adapter calls them (names in order, dtypes,
/// fixed sizes), widths equal where one part feeds another, conditioning, sampling facts and defaults within sense.
/// Throws Error{model} that names the file, what was expected and what was found. Opens no file.
void check_model(const Model& model);

/// Ports for people: "ids i64 [batch, tokens], scale f32 []"; "none" for none.
std::string ports_text(const std::vector<Port>& ports);

}  // namespace lapis::core
