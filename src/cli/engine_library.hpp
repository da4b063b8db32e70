// Opening the engine on first need.
#pragma once

#include <memory>

#include "lapis/engine.hpp"

namespace lapis::cli {

/// Opens `liblapis_engine.so`, which brings libtorch (about 0.3 s), and makes an engine. May run in a thread of its
/// own. Throws Error{device} if the library or libtorch is missing, or if `options` ask for a device that is.
std::unique_ptr<Engine> open_engine(const EngineOptions& options);

}  // namespace lapis::cli
