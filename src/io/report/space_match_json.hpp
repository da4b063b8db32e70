// Readings of a latent of unknown origin, as check and inspect say them in JSON. For the report files alone.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <span>

#include "core/latent/space_match.hpp"

namespace lapis::io {

/// Confidences to the thousandth: more digits would promise what they cannot hold.
inline nlohmann::ordered_json matches_json(std::span<const core::SpaceMatch> matches) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const core::SpaceMatch& match : matches) {
    list.push_back({{"space", match.space},
                    {"units", match.units == Units::model ? "model" : "vae"},
                    {"confidence", std::round(match.confidence * 1000) / 1000}});
  }
  return list;
}

}  // namespace lapis::io
