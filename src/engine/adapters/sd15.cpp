#include "engine/adapters/sd15.hpp"

#include "engine/clip_text.hpp"

namespace lapis::engine {

Sd15Adapter::Sd15Adapter(const Model& model, Placement placement)
    : text_encoder_(model.parts.at("text_encoder"), "text_encoder", placement) {}

std::vector<at::Tensor> Sd15Adapter::conditioning(const RenderRequest& request) {
  return {encode_clip(text_encoder_, request, "tokenizer", ClipStates::normed).context};
}

double Sd15Adapter::seconds() const { return text_encoder_.seconds(); }

}  // namespace lapis::engine
