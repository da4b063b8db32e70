#include "engine/scaled.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <algorithm>
#include <cstdint>
#include <utility>

namespace lapis::engine {
namespace {

/// The scales over some rows, a row of the grid for each: [count, columns of the grid].
at::Tensor scales_over(const core::RowRange& range, const core::WeightScale& scale, const std::vector<float>& numbers) {
  at::Tensor spread = at::empty({range.count, scale.columns}, at::TensorOptions().dtype(at::kFloat));
  float* to = spread.mutable_data_ptr<float>();
  for (std::int64_t row = range.first; row < range.first + range.count; ++row) {
    const auto* const from = numbers.data() + row / scale.block_rows * scale.columns;
    to = std::copy(from, from + scale.columns, to);
  }
  return spread;
}

}  // namespace

at::Tensor scaled(const at::Tensor& stored, const std::vector<core::RowRange>& rows, const core::WeightScale& scale,
                  const std::vector<float>& numbers) {
  const at::Tensor matrix = stored.dim() > 1 ? stored.flatten(1) : stored.reshape({-1, 1});
  const std::vector<core::RowRange> all{{0, matrix.size(0)}};
  std::vector<at::Tensor> pieces;
  for (const core::RowRange& range : rows.empty() ? all : rows) {
    at::Tensor piece = matrix.narrow(0, range.first, range.count).to(at::kFloat, /*non_blocking=*/false, /*copy=*/true);
    const at::Tensor spread = scales_over(range, scale, numbers);
    for (std::int64_t column = 0; column < scale.columns; ++column) {
      const std::int64_t first = column * scale.block_columns;
      const std::int64_t width = std::min(scale.block_columns, matrix.size(1) - first);
      piece.narrow(1, first, width).mul_(spread.narrow(1, column, 1));
    }
    pieces.push_back(std::move(piece));
  }
  const at::Tensor whole = pieces.size() == 1 ? pieces.front() : at::cat(pieces);
  std::vector<std::int64_t> shape = stored.sizes().vec();
  if (!shape.empty()) shape.front() = whole.size(0);
  return whole.reshape(shape);
}

}  // namespace lapis::engine
