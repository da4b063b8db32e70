#include "engine/noise.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/randn.h>

namespace lapis::engine {

Noise::Noise(std::uint64_t seed) : generator_(at::make_generator<at::CPUGeneratorImpl>(seed)) {}

at::Tensor Noise::draw(at::IntArrayRef shape) {
  ++draws_;
  return at::randn(shape, generator_, at::TensorOptions().dtype(at::kFloat));
}

void Noise::skip(int draws, at::IntArrayRef shape) {
  for (int i = 0; i < draws; ++i) draw(shape);
}

}  // namespace lapis::engine
