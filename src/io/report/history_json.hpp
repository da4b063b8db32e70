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

inline nlohmann::ordered_json history_json(std::span<const Transcode> history) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Transcode& transcode : history) {
    list.push_back({{"route", transcode.route},
                    {"from", transcode.from},
                    {"to", transcode.to},
                    {"size", {transcode.size.width, transcode.size.height}},
                    {"psnr", psnr_json(transcode.psnr)}});
  }
  return list;
}

}  // namespace lapis::io
