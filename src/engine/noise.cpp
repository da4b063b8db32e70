#include "engine/noise.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/randn.h>

namespace lapis::engine {

Noise::Noise(std::int64_t seed)
    : generator_(at::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(seed))) {}

at::Tensor Noise::draw(at::IntArrayRef shape) {
  return at::randn(shape, generator_, at::TensorOptions().dtype(at::kFloat));
}

}  // namespace lapis::engine
