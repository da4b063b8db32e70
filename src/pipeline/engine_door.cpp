#include "pipeline/engine_door.hpp"

#include "pipeline/clock.hpp"
#include "pipeline/open_engine.hpp"

namespace lapis::pipeline {

void EngineDoor::begin() {
  if (engine_ == nullptr && !opening_.valid()) opening_ = open_engine(options_);
}

Engine& EngineDoor::engine() {
  begin();
  if (engine_ != nullptr) return *engine_;
  const auto waiting = Clock::now();
  engine_ = opening_.get().release();
  waited_ = seconds_since(waiting);
  return *engine_;
}

}  // namespace lapis::pipeline
