// The tensors of a part, out of its weight files.
#pragma once

#include <ATen/core/Tensor.h>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/checkpoint/checkpoint_names.hpp"
#include "core/checkpoint/weight_scales.hpp"
#include "engine/placement.hpp"
#include "io/file/tensor_file.hpp"
#include "lapis/attachments.hpp"
#include "lapis/model.hpp"

namespace lapis::engine {

/// A part's weight files, mapped. Tensors of `bound` borrow from them, so they must not outlive this.
class Weights {
 public:
  /// `name` is the part's, for messages. Throws Error{model} for a damaged file, and for scales that cannot be applied.
  Weights(const Part& part, const std::string& name);

  /// Whether a parameter of this name is wanted.
  using Wanted = std::function<bool(const std::string&)>;

  /// The tensor of each of the graph's parameters, in their order, found where the part's key scheme puts it: a view of
  /// the mapping where dtype and device are the wanted ones, else converted by all threads; quantized weights times
  /// their scales, one at a time; with what `attachments` add to it. One that is not wanted is left undefined.
  /// `parameters` are all of the graph's, for they tell its layout. Throws Error{model} for a parameter that finds no
  /// tensor, or one of another shape or of a type that is no weight's, Error{input} for an attachment's file that has
  /// changed, and Error{device} before it converts more than memory holds.
  std::vector<at::Tensor> bound(std::span<const core::TensorShape> parameters, Placement placement,
                                const PartAttachments& attachments = {}, const Wanted& wanted = nullptr) const;

 private:
  const io::TensorView& find(const std::string& key) const;
  at::Tensor at_location(const core::TensorLocation& place) const;
  at::Tensor in_shape(const core::TensorShape& parameter, const core::TensorLocation& place) const;
  void check_memory(std::span<const core::TensorLocation> places, Placement placement) const;

  Part part_;
  std::string name_;
  std::vector<std::unique_ptr<io::TensorFile>> files_;
  core::WeightScales scales_;
};

/// Which parameters are other tensors with `after` than they are with `before`.
Weights::Wanted touched_by(const PartAttachments& before, const PartAttachments& after);

}  // namespace lapis::engine
