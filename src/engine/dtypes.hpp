// libtorch's types of numbers, and the names that files have for them.
#pragma once

#include <ATen/core/Tensor.h>
#include <optional>

#include "io/file/safetensors.hpp"

namespace lapis::engine {

/// libtorch's type for the numbers of a weight; none for what is no weight's.
inline std::optional<at::ScalarType> scalar_type(io::Dtype dtype) {
  switch (dtype) {
    case io::Dtype::f32: return at::kFloat;
    case io::Dtype::f16: return at::kHalf;
    case io::Dtype::bf16: return at::kBFloat16;
    case io::Dtype::f64: return at::kDouble;
    case io::Dtype::f8_e4m3: return at::kFloat8_e4m3fn;
    case io::Dtype::f8_e5m2: return at::kFloat8_e5m2;
    default: return std::nullopt;
  }
}

}  // namespace lapis::engine
