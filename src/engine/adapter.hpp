// What a family does between a prompt's tokens and its network's inputs.
#pragma once

#include <ATen/core/Tensor.h>
#include <vector>

#include "engine/parts.hpp"
#include "lapis/engine.hpp"

namespace lapis::engine {

/// The network's inputs behind sample and timestep, in port order, for one picture: computed once, the same at every
/// step. Where the job has guidance above 1, each holds the negative half first, then the positive one. Runs the text
/// encoders of `parts`. Every architecture has its own, in adapters/.
std::vector<at::Tensor> conditioning(Parts& parts, const RenderRequest& request);

}  // namespace lapis::engine
