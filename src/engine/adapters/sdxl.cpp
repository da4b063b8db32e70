#include "engine/adapters/sdxl.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <array>

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

std::vector<at::Tensor> sdxl_conditioning(Parts& parts, const RenderRequest& request) {
  parts.ensure(needed(parts, {PartKind::text_encoder, PartKind::text_encoder_2}, request));
  const TextEncoding first = encode_clip(parts, PartKind::text_encoder, request, ClipStates::raw);
  const TextEncoding second = encode_clip(parts, PartKind::text_encoder_2, request, ClipStates::raw);
  at::Tensor context = at::cat({first.context, second.context}, 2);
  at::Tensor pooled = second.pooled.clone();
  const std::int64_t rows = context.size(0);
  if (rows == 2 && parts.model().conditioning.zero_empty_negative && request.job.negative_prompt.empty()) {
    context[0].zero_();
    pooled[0].zero_();
  }
  return {context, pooled, time_ids(request.job, rows).to(context.device())};
}

}  // namespace lapis::engine
