#include "engine/adapters/flux.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

#include "core/family/families.hpp"
#include "engine/clip_text.hpp"

namespace lapis::engine {
namespace {

constexpr double theta = 10000;

/// Fills `width` columns of both tables from `column` on: row i gets the angles of position positions[i].
void fill_axis(const std::vector<std::int64_t>& positions, std::int64_t column, int width, RopeTables& tables) {
  auto cos = tables.cos.accessor<float, 2>();
  auto sin = tables.sin.accessor<float, 2>();
  // Positions repeat over a picture, and sines and cosines are costly: each distinct position is computed once.
  std::vector<std::int64_t> first_row(static_cast<std::size_t>(*std::max_element(positions.begin(), positions.end())) +
                                      1);
  std::fill(first_row.begin(), first_row.end(), -1);
  for (std::size_t i = 0; i < positions.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    std::int64_t& known = first_row[static_cast<std::size_t>(positions[i])];
    for (int k = 0; k < width; ++k) {
      const std::int64_t at = column + k;
      if (known >= 0) {
        cos[row][at] = cos[known][at];
        sin[row][at] = sin[known][at];
      } else {
        const double angle = static_cast<double>(positions[i]) * (1.0 / std::pow(theta, (k / 2 * 2) / double(width)));
        cos[row][at] = static_cast<float>(std::cos(angle));
        sin[row][at] = static_cast<float>(std::sin(angle));
      }
    }
    if (known < 0) known = row;
  }
}

at::Tensor t5_context(Parts& parts, const RenderRequest& request) {
  const auto encode = [](LoadedPart& t5, const PromptRows& rows) {
    return TextEncoding{joined_context(t5.run({rows.ids.to(t5.placement().device)}).front(), rows), {}};
  };
  return encoded(parts, PartKind::text_encoder_2, request, encode).context;
}

}  // namespace

RopeTables rope_tables(const std::vector<int>& axes, std::int64_t text_tokens, std::int64_t rows,
                       std::int64_t columns) {
  const auto all = static_cast<std::size_t>(text_tokens + rows * columns);
  std::vector<std::vector<std::int64_t>> positions(3, std::vector<std::int64_t>(all, 0));
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t column = 0; column < columns; ++column) {
      const auto token = static_cast<std::size_t>(text_tokens + row * columns + column);
      positions[1][token] = row;
      positions[2][token] = column;
    }
  }
  const std::int64_t width = std::accumulate(axes.begin(), axes.end(), std::int64_t{0});
  const std::vector<std::int64_t> shape = {static_cast<std::int64_t>(all), width};
  RopeTables tables{at::zeros(shape, at::kFloat), at::zeros(shape, at::kFloat)};
  std::int64_t begin = 0;
  for (std::size_t axis = 0; axis < axes.size(); ++axis) {
    fill_axis(positions.at(axis), begin, axes[axis], tables);
    begin += axes[axis];
  }
  return tables;
}

std::vector<at::Tensor> flux_conditioning(Parts& parts, const RenderRequest& request) {
  parts.ensure(needed(parts, {PartKind::text_encoder, PartKind::text_encoder_2}, request));
  const Model& model = parts.model();
  const int token_side = core::token_side(model);  // pixels
  const ResolvedJob& job = request.job;
  const at::Tensor pooled = encode_clip(parts, PartKind::text_encoder, request, ClipStates::normed).pooled;
  const at::Tensor context = t5_context(parts, request);
  const at::Device device = context.device();
  const RopeTables rope =
      rope_tables(model.conditioning.rope_axes, context.size(1), job.height / token_side, job.width / token_side);
  std::vector<at::Tensor> inputs = {context, pooled, rope.cos.to(device), rope.sin.to(device)};
  if (core::has_guidance_input(model)) {
    inputs.push_back(at::full({context.size(0)}, job.guidance, at::TensorOptions().dtype(at::kFloat).device(device)));
  }
  return inputs;
}

}  // namespace lapis::engine
