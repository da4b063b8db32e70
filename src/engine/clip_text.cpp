#include "engine/clip_text.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/text/sentence.hpp"
#include "engine/prompt_rows.hpp"
#include "lapis/error.hpp"

namespace lapis::engine {

namespace {

TextEncoding made_by(LoadedPart& encoder, const PromptRows& rows, int clip_skip, ClipStates states) {
  const std::vector<at::Tensor> outputs = encoder.run({rows.ids.to(encoder.placement().device)});
  const bool last_alone = outputs.front().dim() == 3;  // [batch, tokens, width], normed
  const at::Tensor layers = last_alone ? outputs.front().unsqueeze(0) : outputs.at(states == ClipStates::raw ? 0 : 1);
  const std::int64_t skip = std::max<std::int64_t>(1, clip_skip);
  if (skip > 1 && skip >= layers.size(0)) {
    throw Error(ErrorKind::usage,
                core::sentence("{clip_skip} is {}; this text encoder has {} layers", skip, layers.size(0) - 1));
  }
  const std::size_t pooled = last_alone ? 1 : 2;
  return {joined_context(layers.select(0, layers.size(0) - skip), rows),
          outputs.size() > pooled ? first_chunks(outputs[pooled], rows) : at::Tensor()};
}

}  // namespace

TextEncoding encode_clip(Parts& parts, PartKind encoder, const RenderRequest& request, ClipStates states) {
  return encoded(parts, encoder, request, [&](LoadedPart& part, const PromptRows& rows) {
    return made_by(part, rows, request.job.clip_skip, states);
  });
}

}  // namespace lapis::engine
