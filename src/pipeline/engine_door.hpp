// The engine of a run: opened on first need, while other work goes on.
#pragma once

#include <future>
#include <memory>
#include <utility>

#include "lapis/engine.hpp"

namespace lapis::pipeline {

/// When an engine goes: with its door, or with the process, which is for a program that leaves through _exit:
/// libtorch's own tear-down would cost it 0.14 s.
enum class EngineEnd { with_process, with_door };

/// Opens `liblapis_engine.so`, which brings libtorch (about 0.3 s), once. Not safe to share between threads.
class EngineDoor {
 public:
  explicit EngineDoor(EngineOptions options, EngineEnd end = EngineEnd::with_process)
      : options_(std::move(options)), end_(end) {}

  /// An engine that is there already, and must live as long.
  explicit EngineDoor(Engine& engine) : options_(engine.chosen()), engine_(&engine) {}

  const EngineOptions& options() const { return options_; }

  /// Begins to open it, in a thread of its own; nothing where that was begun before.
  void begin();

  /// The engine, opened. Throws Error{device} if the library or libtorch is missing, or if the options ask for a device
  /// that is.
  Engine& engine();

  /// Throws what `engine` would, and opens it only where nothing less can tell.
  void check();

  /// Seconds that `engine` had to wait since this was asked last.
  double waited() { return std::exchange(waited_, 0); }

 private:
  EngineOptions options_;
  EngineEnd end_ = EngineEnd::with_process;
  std::unique_ptr<Engine> owned_;  ///< one that goes with the door
  std::future<std::unique_ptr<Engine>> opening_;
  Engine* engine_ = nullptr;
  double waited_ = 0;
};

}  // namespace lapis::pipeline
