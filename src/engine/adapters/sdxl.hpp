// SDXL: hidden states of two CLIP text encoders side by side, the second one's pooled vector, and sizes.
#pragma once

#include <future>

#include "engine/adapter.hpp"

namespace lapis::engine {

/// The six numbers an SDXL network is told of a picture (Podell et al. 2023, "SDXL: Improving Latent Diffusion Models
/// for High-Resolution Image Synthesis", section 2.2): f32 [rows, 6] of original height, original width, crop from the
/// top, crop from the left, height, width. All rows are the same.
at::Tensor time_ids(const ResolvedJob& job, std::int64_t rows);

/// Conditioning = { context [1 or 2, tokens, width_1 + width_2], pooled [1 or 2, pooled width], time_ids }. Where the
/// model says so, an empty negative prompt is zeros in place of what the encoders make of it.
class SdxlAdapter : public Adapter {
 public:
  SdxlAdapter(const Model& model, Placement placement);
  std::vector<at::Tensor> conditioning(const RenderRequest& request) override;
  double seconds() const override;

 private:
  SdxlAdapter(const Model& model, Placement placement, std::future<LoadedPart> second);

  LoadedPart text_encoder_;
  LoadedPart text_encoder_2_;
  bool zero_empty_negative_;
};

}  // namespace lapis::engine
