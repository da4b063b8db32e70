#include "engine/noise.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/randn.h>

namespace lapis::engine {

Noise::Noise(std::int64_t seed)
    : generator_(at::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(seed))) {}

at::Tensor Noise::draw(std::int64_t channels, std::int64_t height, std::int64_t width) {
  return at::randn({1, channels, height, width}, generator_, at::TensorOptions().dtype(at::kFloat));
}

at::Tensor draw_noise(std::int64_t seed, std::int64_t channels, std::int64_t height, std::int64_t width) {
  return Noise(seed).draw(channels, height, width);
}

}  // namespace lapis::engine
