#include "io/report/json_parts.hpp"

#include <cmath>
#include <utility>

#include "core/latent/units.hpp"
#include "lapis/part_kind.hpp"

namespace lapis::io {
namespace {

using Json = nlohmann::ordered_json;

}  // namespace

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

std::optional<Json> object_in(const std::string& text) {
  constexpr int deepest_nesting = 32;
  bool too_deep = false;
  const auto watch_depth = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > deepest_nesting;
    return !too_deep;
  };
  Json parsed = Json::parse(text, watch_depth, /*allow_exceptions=*/false);
  return parsed.is_object() && !too_deep ? std::optional(std::move(parsed)) : std::nullopt;
}

Json psnr_json(const std::optional<double>& psnr) {
  if (!psnr) return nullptr;
  return std::isinf(*psnr) ? Json("infinite") : Json(*psnr);
}

Json history_json(std::span<const Transcode> history) {
  Json list = Json::array();
  for (const Transcode& transcode : history) {
    list.push_back({{"route", transcode.route},
                    {"from", transcode.from},
                    {"to", transcode.to},
                    {"size", {transcode.size.width, transcode.size.height}},
                    {"psnr", psnr_json(transcode.psnr)}});
  }
  return list;
}

Json matches_json(std::span<const core::SpaceMatch> matches) {
  Json list = Json::array();
  for (const core::SpaceMatch& match : matches) {
    list.push_back({{"space", match.space}, {"units", core::units_name(match.units)}});
  }
  return list;
}

Json timings_json(const RunTimings& run, TimingsOf whose) {
  Json json;
  const auto add = [&](std::string_view key, double seconds) { json[std::string(key)] = seconds; };
  const bool is_job = whose == TimingsOf::job;
  add("read", run.read);
  if (is_job) add("tokens", run.tokens);
  add("engine", run.engine);
  add("load", run.parts.load);
  for (const PartKindRow& row : part_kinds) {
    const bool is_vae = row.stage == PartStage::encoding || row.stage == PartStage::decoding;
    if (!is_job && !is_vae) continue;
    const std::string key(row.seconds);
    add(key, json.value(key, 0.0) + run.parts.of(row.kind));
    if (row.stage == PartStage::steps) add("sampler", run.parts.sampler);
  }
  add("pixels", run.parts.pixels);
  add(is_job ? "png" : "write", run.png);
  add("total", run.total);
  for (auto& seconds : json) seconds = std::round(seconds.get<double>() * 1e6) / 1e6;
  return json;
}

}  // namespace lapis::io
