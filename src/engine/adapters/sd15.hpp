// SD1.5: hidden states of one CLIP text encoder after its final norm.
#pragma once

#include "engine/adapter.hpp"

namespace lapis::engine {

/// Conditioning = { context [1 or 2, tokens, width] }.
class Sd15Adapter : public Adapter {
 public:
  Sd15Adapter(const Model& model, Placement placement);
  std::vector<at::Tensor> conditioning(const RenderRequest& request) override;
  double seconds() const override;

 private:
  LoadedPart text_encoder_;
};

}  // namespace lapis::engine
