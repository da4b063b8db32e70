#include "engine/adapters/sd15.hpp"

#include <ATen/ops/tensor.h>

namespace lapis::engine {

Sd15Adapter::Sd15Adapter(const Model& model, Placement placement)
    : text_encoder_(model.parts.at("text_encoder"), "text_encoder", placement) {}

std::vector<at::Tensor> Sd15Adapter::conditioning(const RenderRequest& request) {
  std::vector<std::int64_t> ids;
  const bool guided = request.job.guidance > 1;
  if (guided) ids = request.negative.at("tokenizer").front().ids;
  const std::vector<std::int64_t>& prompt = request.prompt.at("tokenizer").front().ids;
  ids.insert(ids.end(), prompt.begin(), prompt.end());
  const auto length = static_cast<std::int64_t>(prompt.size());
  const at::Tensor batch = at::tensor(ids, at::TensorOptions().dtype(at::kLong)).view({guided ? 2 : 1, length});
  const at::Tensor normed = text_encoder_.run({batch.to(text_encoder_.placement().device)})[1];
  return {normed.select(0, -1)};
}

double Sd15Adapter::seconds() const { return text_encoder_.seconds(); }

}  // namespace lapis::engine
