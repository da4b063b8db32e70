#include "engine/adapter.hpp"

#include "core/family/families.hpp"
#include "core/text/sentence.hpp"
#include "engine/adapters/flux.hpp"
#include "engine/adapters/sd15.hpp"
#include "engine/adapters/sdxl.hpp"
#include "lapis/error.hpp"

namespace lapis::engine {

std::vector<at::Tensor> conditioning(Parts& parts, const RenderRequest& request) {
  const std::string& name = parts.model().family;
  const core::FamilyRow* family = core::find_family(name);
  if (!family) throw Error(ErrorKind::model, core::sentence("family {} is not known", name));
  switch (family->architecture) {
    case core::Architecture::sd15: return sd15_conditioning(parts, request);
    case core::Architecture::sdxl: return sdxl_conditioning(parts, request);
    case core::Architecture::flux: return flux_conditioning(parts, request);
  }
  throw Error(ErrorKind::internal, core::sentence("family {} has no adapter", name));
}

}  // namespace lapis::engine
