#include "engine/tiles.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <algorithm>

namespace lapis::engine {
namespace {

/// The weights of `count` samples along one side of a tile, `cell` of them a latent cell: 0 in the margin next to a
/// cut, then rising to 1 over the rest of the overlap. A side that is the picture's own edge is no cut.
at::Tensor side_weights(std::int64_t count, std::int64_t cell, bool cut_before, bool cut_behind, const Tiling& tiling) {
  at::Tensor weights = at::empty({count}, at::kFloat);
  float* to = weights.mutable_data_ptr<float>();
  const auto margin = static_cast<double>(tiling.margin);
  const double band = static_cast<double>(tiling.overlap) - 2 * margin;
  const auto rise = [&](double cells) { return std::clamp((cells - margin) / band, 0.0, 1.0); };
  for (std::int64_t i = 0; i < count; ++i) {
    const double before = (static_cast<double>(i) + 0.5) / static_cast<double>(cell);
    const double behind = static_cast<double>(count) / static_cast<double>(cell) - before;
    to[i] = static_cast<float>((cut_before ? rise(before) : 1) * (cut_behind ? rise(behind) : 1));
  }
  return weights;
}

}  // namespace

bool wants_tiles(const std::string& vae_tiling, std::int64_t height, std::int64_t width) {
  constexpr std::int64_t most_cells = 128 * 128;
  if (vae_tiling == "auto") return height * width > most_cells;
  return vae_tiling == "on";
}

std::vector<std::int64_t> tile_starts(std::int64_t length, const Tiling& tiling) {
  if (length <= tiling.tile) return {0};
  const std::int64_t stride = tiling.tile - tiling.overlap;
  const std::int64_t gaps = (length - tiling.tile + stride - 1) / stride;
  std::vector<std::int64_t> starts;
  for (std::int64_t i = 0; i <= gaps; ++i) starts.push_back(i * (length - tiling.tile) / gaps);
  return starts;
}

at::Tensor in_tiles(const at::Tensor& input, std::int64_t input_cell, std::int64_t output_cell, const Tiling& tiling,
                    const std::function<at::Tensor(const at::Tensor&)>& run) {
  const std::int64_t height = input.size(2) / input_cell;
  const std::int64_t width = input.size(3) / input_cell;
  const std::vector<std::int64_t> rows = tile_starts(height, tiling);
  const std::vector<std::int64_t> columns = tile_starts(width, tiling);
  if (rows.size() == 1 && columns.size() == 1) return run(input);
  const std::int64_t tile_height = std::min(tiling.tile, height);
  const std::int64_t tile_width = std::min(tiling.tile, width);
  at::Tensor sum;
  at::Tensor weights = at::zeros({1, 1, height * output_cell, width * output_cell}, at::kFloat);
  for (const std::int64_t row : rows) {
    const at::Tensor band = input.narrow(2, row * input_cell, tile_height * input_cell);
    const at::Tensor down =
        side_weights(tile_height * output_cell, output_cell, row > 0, row + tile_height < height, tiling);
    for (const std::int64_t column : columns) {
      const at::Tensor made = run(band.narrow(3, column * input_cell, tile_width * input_cell).contiguous());
      if (!sum.defined()) sum = at::zeros({1, made.size(1), height * output_cell, width * output_cell}, at::kFloat);
      const at::Tensor across =
          side_weights(tile_width * output_cell, output_cell, column > 0, column + tile_width < width, tiling);
      const at::Tensor weight = down.unsqueeze(1) * across.unsqueeze(0);
      const auto place = [&](const at::Tensor& all) {
        return all.narrow(2, row * output_cell, tile_height * output_cell)
            .narrow(3, column * output_cell, tile_width * output_cell);
      };
      place(sum).add_(made * weight);
      place(weights).add_(weight);
    }
  }
  return sum.div_(weights);
}

}  // namespace lapis::engine
