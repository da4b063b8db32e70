#include "cli/engine_library.hpp"

#include <cstdlib>
#include <dlfcn.h>
#include <filesystem>
#include <string>

#include "cli/places.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {
namespace {

std::unique_ptr<Engine> open_now(const EngineOptions& options) {
  const std::filesystem::path path = engine_path();
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    throw Error(ErrorKind::device, std::string("the engine cannot be opened: ") + dlerror() +
                                       "\nBuild it (scripts/setup.sh, then cmake --workflow --preset release)");
  }
  const auto make = reinterpret_cast<MakeEngine>(dlsym(library, "lapis_make_engine"));
  if (!make) throw Error(ErrorKind::device, path.string() + " is no lapis engine: it exports no lapis_make_engine");
  int kind = 0;
  std::string text;
  Engine* engine = make(options, &kind, &text);
  if (!engine) throw Error(static_cast<ErrorKind>(kind), text);
  return std::unique_ptr<Engine>(engine);
}

}  // namespace

std::future<std::unique_ptr<Engine>> open_engine(const EngineOptions& options) {
  // OpenMP's threads spin while they wait, and on a machine that does other work too each spins away the time the
  // others need: rendering took 7 times as long. libgomp reads this when it is loaded, so it is set before, and here,
  // where no other thread runs yet.
  setenv("OMP_WAIT_POLICY", "PASSIVE", /*overwrite=*/0);
  return std::async(std::launch::async, open_now, options);
}

}  // namespace lapis::cli
