// libtorch's types of numbers, and the names that files have for them.
#pragma once

#include <ATen/core/Tensor.h>
#include <array>
#include <optional>
#include <utility>

#include "io/file/tensor_file.hpp"

namespace lapis::engine {

/// libtorch's type for the numbers of a weight; none for what is no weight's.
inline std::optional<at::ScalarType> scalar_type(io::Dtype dtype) {
  constexpr std::array<std::pair<io::Dtype, at::ScalarType>, 6> types = {{{io::Dtype::f32, at::kFloat},
                                                                          {io::Dtype::f16, at::kHalf},
                                                                          {io::Dtype::bf16, at::kBFloat16},
                                                                          {io::Dtype::f64, at::kDouble},
                                                                          {io::Dtype::f8_e4m3, at::kFloat8_e4m3fn},
                                                                          {io::Dtype::f8_e5m2, at::kFloat8_e5m2}}};
  for (const auto& [name, type] : types) {
    if (name == dtype) return type;
  }
  return std::nullopt;
}

}  // namespace lapis::engine
