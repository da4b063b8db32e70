#include "pipeline/engine_door.hpp"

#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include "core/stopwatch.hpp"
#include "core/text/sentence.hpp"
#include "io/file/shortage.hpp"
#include "lapis/error.hpp"
#include "pipeline/locations.hpp"

namespace lapis::pipeline {
namespace {

/// The loader has words of its own for memory that ran out.
bool is_lack_of_memory(const std::string& text) {
  const bool maps = text.find("failed to map segment") != std::string::npos ||
                    text.find("cannot map zero-fill pages") != std::string::npos;
  if (maps) return text.find("not permitted") == std::string::npos;
  return text.find("allocate memory") != std::string::npos && text.find("static TLS") == std::string::npos;
}

std::unique_ptr<Engine> open_now(const EngineOptions& options) {
  const std::filesystem::path path = engine_path();
  std::error_code deleted;
  const std::filesystem::path here = std::filesystem::current_path(deleted);
  if (here.empty()) {
    throw Error(ErrorKind::device, "the working folder was deleted, and libtorch does not open in it.",
                "Change to one that exists");
  }
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const std::string text = dlerror();
    if (is_lack_of_memory(text)) throw io::memory_shortage();
    throw Error(ErrorKind::device, core::sentence("the engine cannot be opened: {}", text),
                "Build it (scripts/setup.sh, then cmake --workflow --preset release)");
  }
  const auto make = reinterpret_cast<MakeEngine>(dlsym(library, "lapis_make_engine"));
  if (!make) {
    throw Error(ErrorKind::device,
                core::sentence("{} is no lapis engine: it exports no lapis_make_engine", path.string()));
  }
  std::optional<Error> error;
  Engine* engine = make(lapis_engine_abi, options, &error);
  if (error) throw Error(*error);
  return std::unique_ptr<Engine>(engine);
}

}  // namespace

void EngineDoor::begin() {
  if (engine_ != nullptr || opening_.valid()) return;
  // OpenMP's threads spin while they wait, and on a machine that does other work too each spins away the time the
  // others need: rendering took 7 times as long. libgomp reads this when it is loaded, so it is set before, and here,
  // where no other thread runs yet.
  setenv("OMP_WAIT_POLICY", "PASSIVE", /*overwrite=*/0);
  opening_ = std::async(std::launch::async, open_now, options_);
}

Engine& EngineDoor::engine() {
  begin();
  if (engine_ != nullptr) return *engine_;
  const core::Stopwatch waiting;
  owned_ = opening_.get();
  engine_ = owned_.get();
  if (end_ == EngineEnd::with_process) owned_.release();
  waited_ = waiting.seconds();
  return *engine_;
}

void EngineDoor::check() {
  std::error_code ignored;
  const bool opens = std::filesystem::exists(engine_path(), ignored) && !std::filesystem::current_path(ignored).empty();
  // Whether CUDA can be had is libtorch's to say; a CPU always is.
  if (options_.device == "cuda" || !opens) engine();
}

}  // namespace lapis::pipeline
