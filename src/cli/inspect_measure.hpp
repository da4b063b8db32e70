// inspect MODEL --measure: what a VAE does to pictures.
#pragma once

#include <string>
#include <vector>

#include "lapis/model.hpp"

namespace lapis::cli {

/// Takes `pictures`, or drawn patterns where there are none, through the VAE of `model` and back, and prints how near
/// they come. Returns the exit code.
int measure_model(const Model& model, const std::vector<std::string>& pictures, bool json);

}  // namespace lapis::cli
