// What a model is at the end of a latent's route.
#pragma once

#include "core/latent/plan_route.hpp"
#include "lapis/model.hpp"

namespace lapis::pipeline {

/// What a model wants of a latent that it is to draw on with.
core::RouteTarget route_target(const Model& model);

/// What its VAE wants of a latent that it is to decode: any count of cells.
core::RouteTarget decoder_target(const Model& model);

/// The halves of VAEs on the way from `own` to `target`; either may be null, and has none then.
core::Available available(const Model* own, const Model* target);

}  // namespace lapis::pipeline
