#include "engine/adapters/sdxl.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <array>
#include <future>

#include "engine/clip_text.hpp"
#include "lapis/error.hpp"

namespace lapis::engine {

at::Tensor time_ids(const ResolvedJob& job, std::int64_t rows) {
  if (!job.original_size || !job.crop) throw Error(ErrorKind::internal, "the job says nothing of sizes");
  const std::array<int, 6> numbers = {
      job.original_size->height, job.original_size->width, job.crop->y, job.crop->x, job.height, job.width};
  const std::vector<float> values(numbers.begin(), numbers.end());
  return at::tensor(values, at::TensorOptions().dtype(at::kFloat)).unsqueeze(0).repeat({rows, 1});
}

SdxlAdapter::SdxlAdapter(const Model& model, Placement placement)
    : SdxlAdapter(model, placement, std::async(std::launch::async, [&] {
                    return LoadedPart(model.parts.at("text_encoder_2"), "text_encoder_2", placement);
                  })) {}

SdxlAdapter::SdxlAdapter(const Model& model, Placement placement, std::future<LoadedPart> second)
    : text_encoder_(model.parts.at("text_encoder"), "text_encoder", placement),
      text_encoder_2_(second.get()),
      zero_empty_negative_(model.conditioning.zero_empty_negative) {}

std::vector<at::Tensor> SdxlAdapter::conditioning(const RenderRequest& request) {
  const ClipText first = encode_clip(text_encoder_, request, "tokenizer", ClipStates::raw);
  const ClipText second = encode_clip(text_encoder_2_, request, "tokenizer_2", ClipStates::raw);
  at::Tensor context = at::cat({first.context, second.context}, 2);
  at::Tensor pooled = second.pooled.clone();
  const std::int64_t rows = context.size(0);
  if (rows == 2 && zero_empty_negative_ && request.job.negative_prompt.empty()) {
    context[0].zero_();
    pooled[0].zero_();
  }
  return {context, pooled, time_ids(request.job, rows).to(context.device())};
}

double SdxlAdapter::seconds() const { return text_encoder_.seconds() + text_encoder_2_.seconds(); }

}  // namespace lapis::engine
