// Prompts through a CLIP text encoder, for every family that has one.
#pragma once

#include "engine/text_encoders.hpp"
#include "lapis/engine.hpp"

namespace lapis::engine {

/// Which of a CLIP text encoder's outputs a family reads its context from: the hidden states as the layers leave them,
/// or each after the final layer norm.
enum class ClipStates { raw, normed };

/// Encodes the prompt of `request` and, where cfg_scale(job) is above 1, its negative, all chunks in one call, or takes
/// what was kept (`encoded`). The context is the layer that `job.clip_skip` counts from the end (1, or 0 where a family
/// has no clip skip: the last). `encoder` has the outputs states and normed [layers, batch, tokens, width], and pooled
/// [batch, pooled width]; or last [batch, tokens, width], normed, and perhaps pooled. `states` is the family's, one and
/// the same at every call for an encoder of these parts.
TextEncoding encode_clip(Parts& parts, PartKind encoder, const RenderRequest& request, ClipStates states);

}  // namespace lapis::engine
