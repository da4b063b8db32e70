// What a VAE does to pictures.
#pragma once

#include <string>
#include <vector>

#include "io/report/latent_report.hpp"
#include "lapis/model.hpp"
#include "pipeline/engine_door.hpp"
#include "pipeline/events.hpp"

namespace lapis::pipeline {

/// Takes `pictures` (files), or drawn patterns where there are none, through the VAE of `model` and back, with `tiling`
/// as of `Engine::encode`: how near they come. Throws Error{model} for a model without both halves of a VAE, and as
/// `Engine::encode` and `Engine::decode`.
std::vector<io::Drift> measure(const Model& model, const std::vector<std::string>& pictures, const std::string& tiling,
                               EngineDoor& door, const Events& events);

}  // namespace lapis::pipeline
