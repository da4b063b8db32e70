// The way of one request through the parts of a model.
#pragma once

#include "engine/parts.hpp"
#include "lapis/engine.hpp"

namespace lapis::engine {

/// `Engine::render`, over parts that may be loaded or not. A part that the request needs no more is released at once,
/// unless the request says to keep them.
void render(Parts& parts, const RenderRequest& request, const StepCallback& on_step, const PictureCallback& on_picture);

}  // namespace lapis::engine
