// Latents that come in and go out.
#pragma once

#include <ATen/core/Tensor.h>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/parts.hpp"
#include "lapis/engine.hpp"
#include "lapis/latent.hpp"

namespace lapis::engine {

/// Picture `index` of values [B, C, h, w]: [1, C, h, w], fp32 on the CPU.
at::Tensor picture_of(const std::vector<float>& values, const std::array<std::int64_t, 4>& shape, int index);

/// All numbers of a tensor, row by row.
std::vector<float> values_of(const at::Tensor& tensor);

/// A finished latent of values [B, C, h, w].
Latent latent_of(const at::Tensor& values, const Space& space);

/// Throws Error{incompatible} for a latent of another space than `model`'s, naming both, and Error{internal} where its
/// shape and its values do not agree.
void require_space(const Latent& latent, const Model& model);

/// `Engine::decode` and `Engine::encode`.
Decoded decoded(Parts& parts, const Latent& latent, const std::string& tiling, bool any_space);
Encoded encoded(Parts& parts, const Image& image, const std::string& tiling, std::optional<std::uint64_t> seed);

}  // namespace lapis::engine
