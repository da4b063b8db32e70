// A prompt's chunks as one batch for a text encoder, and its hidden states as a network's context.
#pragma once

#include <ATen/core/Tensor.h>
#include <cstdint>
#include <string>

#include "lapis/engine.hpp"

namespace lapis::engine {

/// The chunks of a job's prompts for one tokenizer, one a row: those of the negative where cfg_scale(job) is above
/// 1, those of the prompt, and the empty prompt's where the weights are measured from it.
struct PromptRows {
  at::Tensor ids;            ///< i64 [rows, length], on the CPU
  at::Tensor weights;        ///< f32 [prompts * chunks, length], on the CPU
  std::int64_t prompts = 1;  ///< 2 with a negative
  std::int64_t chunks = 1;   ///< of each prompt
  bool weighted = false;     ///< some weight is not 1
  PromptSyntax syntax = PromptSyntax::plain;
};

/// The rows of `request` for its tokenizer of this name.
PromptRows prompt_rows(const RenderRequest& request, const std::string& tokenizer);

/// The context [prompts, chunks * length, width] out of the hidden states [rows, length, width] that a text encoder
/// made of `rows.ids`: tokens weighed, then the chunks of a prompt joined along the tokens. Works in fp32 and returns
/// the dtype it got. A chunk z whose weights w are all 1 stays as it is, bit by bit; else
///   a1111: z' = z w, then z' mean(z) / mean(z'), means over the whole chunk ("Original" emphasis of the web UI);
///   comfy: z' = e + w (z - e), e the states of the empty prompt at the same place.
at::Tensor joined_context(const at::Tensor& states, const PromptRows& rows);

/// The vectors [prompts, width] of each prompt's first chunk, out of one vector a chunk, `pooled` [rows, width].
/// Weights play no part.
at::Tensor first_chunks(const at::Tensor& pooled, const PromptRows& rows);

}  // namespace lapis::engine
