// What a family does between a prompt's tokens and its network's inputs.
#pragma once

#include <ATen/core/Tensor.h>
#include <memory>
#include <vector>

#include "engine/part.hpp"
#include "lapis/engine.hpp"

namespace lapis::engine {

/// One family's way with words. A new architecture is a new file in adapters/.
class Adapter {
 public:
  virtual ~Adapter() = default;

  /// The network's inputs behind sample and timestep, in port order, for one picture: computed once, the same at every
  /// step. Where the job has guidance above 1, each holds the negative half first, then the positive one.
  virtual std::vector<at::Tensor> conditioning(const RenderRequest& request) = 0;

  /// Seconds spent in text encoders so far.
  virtual double seconds() const = 0;
};

/// The adapter of `model`'s family, its text encoders loaded.
std::unique_ptr<Adapter> make_adapter(const Model& model, Placement placement);

}  // namespace lapis::engine
