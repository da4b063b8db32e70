// Text encoders, run where their model has not kept what they make of a request.
#pragma once

#include <functional>
#include <vector>

#include "engine/parts.hpp"
#include "lapis/engine.hpp"

namespace lapis::engine {

/// Makes an encoding of the rows of a request.
using Encode = std::function<TextEncoding(LoadedPart& encoder, const PromptRows& rows)>;

/// What a text encoder makes of the prompts of `request`: what `parts` has kept, or else what `encode` makes, on the
/// part, which is loaded for it. Not to be changed in place: the next request is given the same tensors.
TextEncoding encoded(Parts& parts, PartKind encoder, const RenderRequest& request, const Encode& encode);

/// Those of `kinds` that `request` has work for: not the text encoders whose encodings are kept.
std::vector<PartKind> needed(Parts& parts, std::vector<PartKind> kinds, const RenderRequest& request);

}  // namespace lapis::engine
