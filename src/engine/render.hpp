// The way of one request through the parts of a model.
#pragma once

#include "engine/model_cache.hpp"
#include "lapis/engine.hpp"

namespace lapis::engine {

/// `Engine::render`. Tells `models` of every part that the request needs no more.
RenderEnd render(ModelCache& models, const Model& model, const RenderRequest& request, const StepCallback& on_step,
                 const PictureCallback& on_picture);

}  // namespace lapis::engine
