#include "cli/engine_library.hpp"

#include <dlfcn.h>
#include <filesystem>
#include <string>

#include "cli/places.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {

std::unique_ptr<Engine> open_engine(const EngineOptions& options) {
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

}  // namespace lapis::cli
