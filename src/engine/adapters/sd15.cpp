#include "engine/adapters/sd15.hpp"

#include "engine/clip_text.hpp"

namespace lapis::engine {

std::vector<at::Tensor> sd15_conditioning(Parts& parts, const RenderRequest& request) {
  return {encode_clip(parts, PartKind::text_encoder, request, ClipStates::normed).context};
}

}  // namespace lapis::engine
