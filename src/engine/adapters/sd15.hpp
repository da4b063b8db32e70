// SD1.5: hidden states of one CLIP text encoder after its final norm.
#pragma once

#include "engine/adapter.hpp"

namespace lapis::engine {

/// { context [1 or 2, tokens, width] }.
std::vector<at::Tensor> sd15_conditioning(Parts& parts, const RenderRequest& request);

}  // namespace lapis::engine
