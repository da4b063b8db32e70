#include "engine/prompt_rows.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/where.h>
#include <algorithm>
#include <array>
#include <vector>

#include "lapis/error.hpp"

namespace lapis::engine {
namespace {

void append(const TokenChunk& chunk, std::vector<std::int64_t>& ids) {
  ids.insert(ids.end(), chunk.ids.begin(), chunk.ids.end());
}

/// z [n, length, width] and w [n, length, 1], both fp32.
at::Tensor weighed(const at::Tensor& z, const at::Tensor& w, const at::Tensor& states, PromptSyntax syntax) {
  switch (syntax) {
    case PromptSyntax::plain: return z;
    case PromptSyntax::a1111: {
      const std::array<std::int64_t, 2> chunk = {1, 2};
      const at::Tensor scaled = z * w;
      const at::Tensor restored = scaled * (z.mean(chunk, true) / scaled.mean(chunk, true));
      return at::where((w == 1).all(1, true), z, restored);
    }
    case PromptSyntax::comfy: {
      const at::Tensor empty = states.narrow(0, states.size(0) - 1, 1).to(at::kFloat);
      return at::where(w == 1, z, empty + w * (z - empty));
    }
  }
  throw Error(ErrorKind::internal, "unknown prompt syntax");
}

}  // namespace

PromptRows prompt_rows(const RenderRequest& request, const std::string& tokenizer) {
  PromptRows rows;
  const Tokens& prompt = request.prompt.at(tokenizer);
  std::vector<std::int64_t> ids;
  std::vector<float> weights;
  const auto add = [&](const Tokens& chunks) {
    if (chunks.size() != prompt.size()) {
      throw Error(ErrorKind::internal, "prompt and negative prompt differ in their count of chunks");
    }
    for (const TokenChunk& chunk : chunks) {
      append(chunk, ids);
      weights.insert(weights.end(), chunk.weights.begin(), chunk.weights.end());
    }
  };
  if (cfg_scale(request.job) > 1) {
    add(request.negative.at(tokenizer));
    rows.prompts = 2;
  }
  add(prompt);
  rows.chunks = static_cast<std::int64_t>(prompt.size());
  rows.syntax = request.job.prompt_syntax;
  rows.weighted = std::any_of(weights.begin(), weights.end(), [](float weight) { return weight != 1; });
  if (rows.weighted && rows.syntax == PromptSyntax::comfy) append(request.empty.at(tokenizer), ids);
  const auto length = static_cast<std::int64_t>(prompt.front().ids.size());
  rows.ids = at::tensor(ids, at::TensorOptions().dtype(at::kLong)).view({-1, length});
  rows.weights = at::tensor(weights, at::TensorOptions().dtype(at::kFloat)).view({-1, length});
  return rows;
}

at::Tensor joined_context(const at::Tensor& states, const PromptRows& rows) {
  const std::int64_t count = rows.prompts * rows.chunks;
  at::Tensor z = states.narrow(0, 0, count);
  if (rows.weighted) {
    const at::Tensor weights = rows.weights.to(z.device()).unsqueeze(2);
    z = weighed(z.to(at::kFloat), weights, states, rows.syntax).to(states.scalar_type());
  }
  return z.reshape({rows.prompts, rows.chunks * z.size(1), z.size(2)});
}

at::Tensor first_chunks(const at::Tensor& pooled, const PromptRows& rows) {
  return pooled.narrow(0, 0, rows.prompts * rows.chunks).reshape({rows.prompts, rows.chunks, -1}).select(1, 0);
}

}  // namespace lapis::engine
