// The goldens of the table of schedules.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "../sample_model.hpp"
#include "core/sampling/schedule_table.hpp"
#include "golden.hpp"

namespace lapis::test {

/// Of 1000 training steps. The oracles look times up among logarithms in float32.
inline constexpr double allowed_time_error = 0.02;

/// UniPC's first flow sigma is taken down by 1e-6.
inline double allowed_sigma_error(const nlohmann::json& golden) {
  return golden.at("schedule") == "sgm_uniform" && golden.at("path") == "flow" ? 2e-6 : 1e-6;
}

/// lapis' own schedule of a case.
inline Schedule schedule_of_golden(const nlohmann::json& golden) {
  Model model = sample_model();
  if (golden.at("path") == "flow") model.sampling.prediction = Prediction::flow;
  model.space.id = golden.at("space").get<std::string>();
  auto sigmas = golden.at("sigmas").get<std::vector<double>>();
  sigmas.pop_back();
  return core::make_schedule(model, core::find_schedule(golden.at("schedule").get<std::string>()).kind,
                             {Spacing::leading, golden.at("shift").get<double>(), sigmas},
                             golden.at("steps").get<int>());
}

/// The largest difference of a time.
inline double time_error(const nlohmann::json& golden, const Schedule& found) {
  const auto times = golden.at("times").get<std::vector<double>>();
  if (times.size() != found.timesteps.size()) return INFINITY;
  double largest = 0;
  for (std::size_t i = 0; i < times.size(); ++i) largest = std::max(largest, std::abs(times[i] - found.timesteps[i]));
  return largest;
}

}  // namespace lapis::test
