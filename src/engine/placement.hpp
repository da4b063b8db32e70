// Where a part lives.
#pragma once

#include <ATen/core/Tensor.h>

namespace lapis::engine {

/// Where tensors live and in which floating type a part computes.
struct Placement {
  at::Device device = at::kCPU;
  at::ScalarType dtype = at::kFloat;
};

}  // namespace lapis::engine
