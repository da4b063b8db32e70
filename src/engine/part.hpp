// One part of a model, bound to its weights and ready to run.
#pragma once

#include <ATen/core/Tensor.h>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/placement.hpp"
#include "lapis/attachments.hpp"
#include "lapis/model.hpp"

namespace lapis::engine {

/// A part in memory. Weights already in the wanted dtype stay mapped from their file and are shared with every other
/// process that maps it; others are converted once. What computes it is a `Runner`.
class LoadedPart {
 public:
  /// Parses the graph and binds every parameter to the tensor of its name. `name` is the part's, for messages.
  /// `attachments` are added to what is bound. Throws Error{model} if the graph is damaged, or if a parameter finds no
  /// tensor or one of another shape, and Error{input} for an attachment's file that cannot be read any more.
  LoadedPart(const Part& part, const std::string& name, Placement placement, const PartAttachments& attachments = {});
  ~LoadedPart();
  LoadedPart(LoadedPart&&) noexcept;
  LoadedPart& operator=(LoadedPart&&) noexcept;

  /// Binds again the parameters that `attachments` change against those bound so far, and no others. Returns how many
  /// tensors that were. Throws Error{input} for an attachment's file that cannot be read any more; nothing has then
  /// changed.
  std::size_t attach(const PartAttachments& attachments);

  /// The attachments that are bound: those of the last call of `attach`, or of the loading.
  const PartAttachments& attachments() const;

  /// Bytes of its tensors, mapped ones too.
  std::uint64_t bytes() const;

  /// Runs the graph. Floating inputs must already have the dtype their port declares. Outputs come in port order.
  /// Throws Error{model} where the graph fails on them, but for lack of memory.
  std::vector<at::Tensor> run(const std::vector<at::Tensor>& inputs);

  /// Runs the graph as `run` does, throwing what the graph throws.
  std::vector<at::Tensor> call(const std::vector<at::Tensor>& inputs);

  /// Seconds spent in `run` so far. On CUDA this is the time to launch, not to finish.
  double seconds() const;

  Placement placement() const;

  /// Whether model.json declares that input as one number for the whole batch, of shape [].
  bool takes_scalar(std::size_t input) const;

  /// As the graph itself calls its inputs.
  std::string input_names() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lapis::engine
