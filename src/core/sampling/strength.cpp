#include "core/sampling/strength.hpp"

#include <algorithm>
#include <cassert>
#include <cstddef>

namespace lapis::core {

int skipped_steps(int steps, double strength, Path path) {
  assert(steps >= 1 && strength >= 0 && strength <= 1);
  const double asked = std::min(steps * strength, static_cast<double>(steps));
  if (path == Path::flow) return static_cast<int>(steps - asked);
  return steps - static_cast<int>(asked);
}

Schedule rest_of(const Schedule& schedule, int skipped) {
  assert(skipped >= 0 && static_cast<std::size_t>(skipped) < schedule.timesteps.size());
  Schedule rest = schedule;
  rest.sigmas.erase(rest.sigmas.begin(), rest.sigmas.begin() + skipped);
  rest.timesteps.erase(rest.timesteps.begin(), rest.timesteps.begin() + skipped);
  return rest;
}

}  // namespace lapis::core
