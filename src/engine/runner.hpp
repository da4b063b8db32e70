// What computes a part, whatever kind of graph or kernel it is.
#pragma once

#include <ATen/core/Tensor.h>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/checkpoint/checkpoint_names.hpp"

namespace lapis::engine {

/// A computation with parameters. Not safe to share between threads.
class Runner {
 public:
  virtual ~Runner() = default;

  /// The parameters that want a tensor, by their checkpoint names of diffusers, always in one order. Empty where the
  /// computation holds its weights itself.
  virtual const std::vector<core::TensorShape>& parameters() const = 0;

  /// Gives a parameter its tensor, of its shape and on the device where it is to run. What the tensor borrows must
  /// outlive the binding.
  virtual void bind(std::size_t parameter, const at::Tensor& tensor) = 0;

  /// The outputs of one call, in their order. Throws what the computation throws.
  virtual std::vector<at::Tensor> run(const std::vector<at::Tensor>& inputs) = 0;

  /// Names of the inputs, as the computation itself calls them: "sample, timestep".
  virtual std::string input_names() const = 0;

  /// Bytes of all its tensors, mapped ones too.
  virtual std::uint64_t bytes() const = 0;
};

}  // namespace lapis::engine
