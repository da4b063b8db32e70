// The scales that quantized checkpoints keep beside their weights, read and looked at
// (core/checkpoint/weight_scales.hpp).
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/checkpoint/weight_scales.hpp"
#include "io/file/tensor_file.hpp"
#include "lapis/error.hpp"

namespace lapis::io {

/// The numbers of a scale, in the order they are stored: F32, F16, BF16 or F64, rounded to fp32.
std::vector<float> scale_numbers(const TensorView& view);

/// The numbers of a weight's grid of scales, its factor multiplied in; `find` gives tensors by name.
std::vector<float> scale_numbers(const core::WeightScale& scale,
                                 const std::function<const TensorView&(const std::string&)>& find);

/// The scales of all weights in files that belong together; `paths` are theirs, for messages. Throws Error{kind} for
/// what cannot be applied: a scheme that lapis does not compute, a scale without its weight or a weight without its
/// scale, one that does not lie over its weight, or is NaN, infinite, negative, or 0 over weights that are not.
core::WeightScales read_weight_scales(std::span<const TensorFile* const> files,
                                      std::span<const std::filesystem::path> paths, ErrorKind kind);

}  // namespace lapis::io
