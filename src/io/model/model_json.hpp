// Sections of model.json as JSON, for what writes it and what reports it. For those two files alone.
#pragma once

#include <nlohmann/json.hpp>
#include <variant>
#include <vector>

#include "core/family/families.hpp"
#include "core/sampling/schedules.hpp"
#include "lapis/model.hpp"

namespace lapis::io {

inline nlohmann::ordered_json ports_json(const std::vector<Port>& ports) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Port& port : ports) {
    nlohmann::ordered_json shape = nlohmann::ordered_json::array();
    for (const Dimension& size : port.shape) std::visit([&](const auto& v) { shape.push_back(v); }, size);
    list.push_back({{"name", port.name}, {"dtype", port.dtype}, {"shape", shape}});
  }
  return list;
}

inline nlohmann::ordered_json flow_shift_json(const FlowShift& shift) {
  if (!shift.dynamic) return {{"dynamic", false}, {"shift", shift.shift}};
  return {{"dynamic", true},
          {"base_shift", shift.base_shift},
          {"max_shift", shift.max_shift},
          {"base_tokens", shift.base_tokens},
          {"max_tokens", shift.max_tokens}};
}

inline nlohmann::ordered_json sampling_json(const SamplingFacts& facts) {
  nlohmann::ordered_json json = {{"prediction", core::prediction_name(facts.prediction)}, {"train_steps", facts.train_steps}};
  if (facts.prediction == Prediction::flow) {
    json["flow_shift"] = flow_shift_json(facts.flow_shift);
    return json;
  }
  json["beta_curve"] = core::beta_curve_row(facts.beta_curve).name;
  json["beta_start"] = facts.beta_start;
  json["beta_end"] = facts.beta_end;
  json["spacing"] = core::spacing_name(facts.spacing);
  json["steps_offset"] = facts.steps_offset;
  if (facts.zero_snr) json["zero_snr"] = true;
  return json;
}

}  // namespace lapis::io
