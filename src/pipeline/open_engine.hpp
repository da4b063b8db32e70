// Opening the engine on first need.
#pragma once

#include <future>
#include <memory>

#include "lapis/engine.hpp"

namespace lapis::pipeline {

/// Opens `liblapis_engine.so`, which brings libtorch (about 0.3 s), in a thread of its own and makes an engine. The
/// future throws Error{device} if the library or libtorch is missing, or if `options` ask for a device that is.
std::future<std::unique_ptr<Engine>> open_engine(const EngineOptions& options);

/// Throws what opening the engine with these options would, and opens it only where nothing less can tell.
void check_engine(const EngineOptions& options);

}  // namespace lapis::pipeline
