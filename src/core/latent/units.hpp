// Between the units of a latent's numbers, and between their layouts.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lapis/latent.hpp"
#include "lapis/space.hpp"

namespace lapis::core {

/// How a latent's numbers lie in its file: [B, C, h, w], or diffusers' tokens.
enum class Layout { plain, packed };

/// `values`, [B, C, h, w] of `space`, in the other units, in fp32 and in the steps in which diffusers rounds:
/// model = (v - shift) * scale, or (v - mean) * scale / deviation; v = m / scale + shift, or m * deviation / scale +
/// mean.
void to_model_units(std::span<float> values, const std::array<std::int64_t, 4>& shape, const Space& space);
void to_vae_units(std::span<float> values, const std::array<std::int64_t, 4>& shape, const Space& space);

/// Model values of `from` as model values of `to`, whose raw VAE values are the same (`same_values`). Left to the bit
/// where the numbers of the two are the same.
void rescale(std::span<float> values, const std::array<std::int64_t, 4>& shape, const Space& from, const Space& to);

/// [B, C, h, w] to tokens [B, h/p * w/p, C p p], channel by channel of each patch (diffusers'
/// FluxPipeline._pack_latents), and back. h and w are multiples of p; `shape` is the unpacked one.
std::vector<float> packed(std::span<const float> values, const std::array<std::int64_t, 4>& shape, int packing);
std::vector<float> unpacked(std::span<const float> tokens, const std::array<std::int64_t, 4>& shape, int packing);

/// One row per kind of units.
struct UnitsRow {
  Units units;
  std::string_view name;  ///< in metadata, JSON and requests: "model"
};

/// All units, in the order in which messages list them.
std::span<const UnitsRow> units_rows();

/// The name in the row of `units`.
std::string units_name(Units units);

/// One row per type of the numbers of a latent file.
struct LatentDtypeRow {
  LatentDtype dtype;
  std::string_view name;  ///< in reports and requests: "bf16"
};

/// All types of numbers, in the order in which messages list them.
std::span<const LatentDtypeRow> latent_dtypes();

/// The name in the row of `dtype`.
std::string latent_dtype_name(LatentDtype dtype);

}  // namespace lapis::core
