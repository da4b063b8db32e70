#include "engine/adapter.hpp"

#include "core/family/families.hpp"
#include "engine/adapters/flux.hpp"
#include "engine/adapters/sd15.hpp"
#include "engine/adapters/sdxl.hpp"
#include "lapis/error.hpp"

namespace lapis::engine {

std::unique_ptr<Adapter> make_adapter(const Model& model, Placement placement) {
  const core::FamilyRow* family = core::find_family(model.family);
  if (!family) throw Error(ErrorKind::model, "family " + model.family + " is not known");
  switch (family->architecture) {
    case core::Architecture::sd15: return std::make_unique<Sd15Adapter>(model, placement);
    case core::Architecture::sdxl: return std::make_unique<SdxlAdapter>(model, placement);
    case core::Architecture::flux: return std::make_unique<FluxAdapter>(model, placement);
  }
  throw Error(ErrorKind::internal, "family " + model.family + " has no adapter");
}

}  // namespace lapis::engine
