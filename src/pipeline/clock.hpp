// Where a run's time goes.
#pragma once

#include <chrono>

namespace lapis::pipeline {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace lapis::pipeline
