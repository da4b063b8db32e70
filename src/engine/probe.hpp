// Probes of a part that belongs to no model yet.
#pragma once

#include <vector>

#include "engine/part.hpp"
#include "lapis/engine.hpp"

namespace lapis::engine {

/// Runs `part` once on made-up numbers. What libtorch throws while it runs becomes the result's fault, but for a lack
/// of memory, which is thrown on.
ProbeResult probe(LoadedPart& part, const std::vector<ProbeInput>& inputs);

}  // namespace lapis::engine
