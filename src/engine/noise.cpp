#include "engine/noise.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/randn.h>

namespace lapis::engine {

at::Tensor draw_noise(std::int64_t seed, std::int64_t channels, std::int64_t height, std::int64_t width) {
  const at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(static_cast<std::uint64_t>(seed));
  return at::randn({1, channels, height, width}, generator, at::TensorOptions().dtype(at::kFloat));
}

}  // namespace lapis::engine
