// Readings of a latent of unknown origin, as check and inspect say them in JSON. For the report files alone.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <span>

#include "core/latent/space_fit.hpp"

namespace lapis::io {

/// Confidences to the thousandth: more digits would promise what they cannot hold.
inline nlohmann::ordered_json fits_json(std::span<const core::SpaceFit> fits) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const core::SpaceFit& fit : fits) {
    list.push_back({{"space", fit.space},
                    {"units", fit.units == Units::model ? "model" : "vae"},
                    {"confidence", std::round(fit.confidence * 1000) / 1000}});
  }
  return list;
}

}  // namespace lapis::io
