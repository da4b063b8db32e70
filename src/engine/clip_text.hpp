// Prompts through a CLIP text encoder, for every family that has one.
#pragma once

#include <ATen/core/Tensor.h>
#include <string>

#include "engine/part.hpp"
#include "lapis/engine.hpp"

namespace lapis::engine {

/// Which of a CLIP text encoder's outputs a family reads its context from: the hidden states as the layers leave them,
/// or each after the final layer norm.
enum class ClipStates { raw, normed };

/// What a CLIP text encoder makes of a job's prompts; the negative's row first where there is one.
struct ClipText {
  at::Tensor context;  ///< [prompts, chunks * tokens, width], weighed
  at::Tensor pooled;   ///< [prompts, pooled width]: of the first chunk, weights play no part; undefined where the
                       ///< encoder gives none
};

/// Encodes the prompt of `request` for `tokenizer` and, where cfg_scale(job) is above 1, its negative, all chunks
/// in one call. The context is the layer that `job.clip_skip` counts from the end (1, or 0 where a family has no clip
/// skip: the last). `encoder` has the outputs states and normed [layers, batch, tokens, width], and pooled [batch,
/// pooled width]; or last [batch, tokens, width], normed, and perhaps pooled.
ClipText encode_clip(LoadedPart& encoder, const RenderRequest& request, const std::string& tokenizer,
                     ClipStates states);

}  // namespace lapis::engine
