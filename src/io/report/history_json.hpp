// A latent's history as reports say it in JSON. For the report files alone.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "lapis/latent.hpp"

namespace lapis::io {

/// dB: "infinite" for equal pictures; null where nothing was measured.
inline nlohmann::ordered_json psnr_json(const std::optional<double>& psnr) {
  if (!psnr) return nullptr;
  if (std::isinf(*psnr)) return "infinite";
  return *psnr;
}

inline nlohmann::ordered_json history_json(std::span<const Crossing> history) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Crossing& crossing : history) {
    list.push_back({{"route", crossing.route},
                    {"from", crossing.from},
                    {"to", crossing.to},
                    {"size", {crossing.size.width, crossing.size.height}},
                    {"psnr", psnr_json(crossing.psnr)}});
  }
  return list;
}

}  // namespace lapis::io
