// Where every picture begins, and what stochastic samplers draw on its way.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <cstdint>

namespace lapis::engine {

/// The noise of one picture, drawn in order from a generator of its own: the same numbers as
/// torch.randn(shape, generator=g) with g = torch.Generator().manual_seed(seed), call for call, whatever the device.
class Noise {
 public:
  explicit Noise(std::uint64_t seed);

  /// Unit normal numbers of this shape, fp32 on the CPU.
  at::Tensor draw(at::IntArrayRef shape);

  /// Passes over what earlier calls drew.
  void skip(int draws, at::IntArrayRef shape);

  /// Calls so far, those passed over among them.
  int draws() const { return draws_; }

 private:
  int draws_ = 0;
  at::Generator generator_;
};

}  // namespace lapis::engine
