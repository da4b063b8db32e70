// The "timings" of result lines. For the report files alone.
#pragma once

#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "io/report/report.hpp"
#include "lapis/part_kind.hpp"

namespace lapis::io {

/// Whose seconds a line tells: of a job that draws, or of a command that takes latents through a VAE alone.
enum class TimingsOf { job, latents };

/// Seconds by their keys in a line's order, to the microsecond: more digits are noise.
inline nlohmann::ordered_json timings_json(const RunTimings& run, TimingsOf whose) {
  nlohmann::ordered_json json;
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
