// Flux: T5's last hidden state, CLIP's pooled vector, rope tables and guidance.
#pragma once

#include "engine/adapter.hpp"

namespace lapis::engine {

/// Rotary position tables, each f32 [text_tokens + rows * columns, sum of axes].
struct RopeTables {
  at::Tensor cos;
  at::Tensor sin;
};

/// The tables of a text of so many tokens and a picture of rows x columns tokens behind it (Su et al. 2021, "RoFormer:
/// Enhanced Transformer with Rotary Position Embedding", equation 15, once for each axis; FluxPosEmbed of diffusers).
/// A text token stands at (0, 0, 0), a picture's at (0, row, column). Axis a has axes[a] / 2 frequencies
/// 10000^(-2k / axes[a]), each given twice. Angles are worked out in double and rounded once.
RopeTables rope_tables(const std::vector<int>& axes, std::int64_t text_tokens, std::int64_t rows, std::int64_t columns);

/// { context [1 or 2, text tokens, width], pooled [1 or 2, pooled width], rope_cos, rope_sin } and, where the denoiser
/// has that input, guidance f32 [1 or 2].
std::vector<at::Tensor> flux_conditioning(Parts& parts, const RenderRequest& request);

}  // namespace lapis::engine
