// Weights that a checkpoint keeps as small numbers and their scales (core/checkpoint/weight_scales.hpp has the forms).
//
//   W = stored x scale, in fp32; a second scale multiplies the first before. What follows rounds once, or adds LoRAs.
#pragma once

#include <ATen/core/Tensor.h>
#include <vector>

#include "core/checkpoint/checkpoint_names.hpp"
#include "core/checkpoint/weight_scales.hpp"

namespace lapis::engine {

/// The rows of `stored`, all where `rows` is empty, times what lies over them; a tensor of its own in fp32. `numbers`
/// are the grid's, row by row.
at::Tensor scaled(const at::Tensor& stored, const std::vector<core::RowRange>& rows, const core::WeightScale& scale,
                  const std::vector<float>& numbers);

}  // namespace lapis::engine
