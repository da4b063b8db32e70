#include "engine/adapter.hpp"

#include "engine/adapters/sd15.hpp"
#include "lapis/error.hpp"

namespace lapis::engine {

std::unique_ptr<Adapter> make_adapter(const Model& model, Placement placement) {
  if (model.family == "sd15") return std::make_unique<Sd15Adapter>(model, placement);
  throw Error(ErrorKind::internal, "family " + model.family + " has no adapter");
}

}  // namespace lapis::engine
