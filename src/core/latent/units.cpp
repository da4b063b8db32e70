#include "core/latent/units.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>

#include "core/family/spaces.hpp"

namespace lapis::core {
namespace {

constexpr std::array unit_table{UnitsRow{Units::model, "model"}, UnitsRow{Units::vae, "vae"}};
constexpr std::array dtype_table{LatentDtypeRow{LatentDtype::f32, "f32"}, LatentDtypeRow{LatentDtype::f16, "f16"},
                                 LatentDtypeRow{LatentDtype::bf16, "bf16"}};

/// Calls `convert(value, mean, deviation)` for each value, with those of its channel.
template <typename Convert>
void each_value(std::span<float> values, const std::array<std::int64_t, 4>& shape, const Space& space,
                const Convert& convert) {
  const auto channels = static_cast<std::size_t>(shape[1]);
  const auto cells = static_cast<std::size_t>(shape[2] * shape[3]);
  assert(values.size() == static_cast<std::size_t>(shape[0]) * channels * cells);
  for (std::size_t plane = 0; cells > 0 && plane < values.size() / cells; ++plane) {
    const std::size_t channel = plane % channels;
    const float mean = static_cast<float>(space.mean.empty() ? space.shift : space.mean[channel]);
    const float deviation = static_cast<float>(space.deviation.empty() ? 1 : space.deviation[channel]);
    for (float& value : values.subspan(plane * cells, cells)) value = convert(value, mean, deviation);
  }
}

/// Calls `each(place in [B, C, h, w], place among the tokens)` for every number.
template <typename Each>
void each_place(const std::array<std::int64_t, 4>& shape, int packing, const Each& each) {
  const auto [batch, channels, height, width] = shape;
  assert(height % packing == 0 && width % packing == 0);
  std::size_t plain = 0;
  for (std::int64_t b = 0; b < batch; ++b) {
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t y = 0; y < height; ++y) {
        for (std::int64_t x = 0; x < width; ++x) {
          const std::int64_t token = (b * (height / packing) + y / packing) * (width / packing) + x / packing;
          const std::int64_t within = (c * packing + y % packing) * packing + x % packing;
          each(plain++, static_cast<std::size_t>(token * channels * packing * packing + within));
        }
      }
    }
  }
}

}  // namespace

void to_model_units(std::span<float> values, const std::array<std::int64_t, 4>& shape, const Space& space) {
  const auto scale = static_cast<float>(space.scale);
  each_value(values, shape, space,
             [scale](float v, float mean, float deviation) { return (v - mean) * scale / deviation; });
}

void to_vae_units(std::span<float> values, const std::array<std::int64_t, 4>& shape, const Space& space) {
  const auto scale = static_cast<float>(space.scale);
  each_value(values, shape, space,
             [scale](float m, float mean, float deviation) { return m * deviation / scale + mean; });
}

void rescale(std::span<float> values, const std::array<std::int64_t, 4>& shape, const Space& from, const Space& to) {
  assert(same_values(from, to));
  if (same_numbers(from, to)) return;
  to_vae_units(values, shape, from);
  to_model_units(values, shape, to);
}

std::vector<float> packed(std::span<const float> values, const std::array<std::int64_t, 4>& shape, int packing) {
  std::vector<float> tokens(values.size());
  each_place(shape, packing, [&](std::size_t plain, std::size_t token) { tokens[token] = values[plain]; });
  return tokens;
}

std::vector<float> unpacked(std::span<const float> tokens, const std::array<std::int64_t, 4>& shape, int packing) {
  std::vector<float> values(tokens.size());
  each_place(shape, packing, [&](std::size_t plain, std::size_t token) { values[plain] = tokens[token]; });
  return values;
}

std::span<const UnitsRow> units_rows() { return unit_table; }

std::string units_name(Units units) {
  return std::string(std::ranges::find(unit_table, units, &UnitsRow::units)->name);
}

std::span<const LatentDtypeRow> latent_dtypes() { return dtype_table; }

std::string latent_dtype_name(LatentDtype dtype) {
  return std::string(std::ranges::find(dtype_table, dtype, &LatentDtypeRow::dtype)->name);
}

}  // namespace lapis::core
