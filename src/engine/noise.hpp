// Where every picture begins, and what stochastic samplers draw on its way.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <cstdint>

namespace lapis::engine {

/// The noise of one picture, from a generator of its own: neither batch size nor device changes it.
class Noise {
 public:
  explicit Noise(std::int64_t seed);

  /// Unit normal numbers [1, channels, height, width], fp32 on the CPU whatever the device. The first call gives the
  /// picture's beginning, later ones in order what its sampler asks for: the same numbers as torch.randn((1, channels,
  /// height, width), generator=generator) called as often on generator = torch.Generator().manual_seed(seed).
  at::Tensor draw(std::int64_t channels, std::int64_t height, std::int64_t width);

 private:
  at::Generator generator_;
};

/// The first draw of `seed`.
at::Tensor draw_noise(std::int64_t seed, std::int64_t channels, std::int64_t height, std::int64_t width);

}  // namespace lapis::engine
