#include "core/flow_schedule.hpp"

#include <cassert>
#include <cmath>

namespace lapis::core {

double flow_mu(const FlowShift& shift, int tokens) {
  if (!shift.dynamic) return std::log(shift.shift);
  const double slope = (shift.max_shift - shift.base_shift) / (shift.max_tokens - shift.base_tokens);
  return shift.base_shift + slope * (tokens - shift.base_tokens);
}

Schedule make_flow_schedule(const SamplingFacts& facts, int steps, int tokens) {
  assert(steps >= 1);
  const double grown = std::exp(flow_mu(facts.flow_shift, tokens));
  Schedule schedule;
  for (int i = 0; i < steps; ++i) {
    const double even = steps == 1 ? 1 : 1 - i * (1 - 1.0 / steps) / (steps - 1);
    const double sigma = grown * even / (1 + (grown - 1) * even);
    schedule.sigmas.push_back(sigma);
    schedule.timesteps.push_back(sigma * facts.train_steps);
  }
  schedule.sigmas.push_back(0);
  return schedule;
}

}  // namespace lapis::core
