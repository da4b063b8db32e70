// Weights that cannot be weights: NaN and infinity, which a file's format allows.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "io/file/safetensors.hpp"
#include "lapis/model.hpp"

namespace lapis::io {

/// Whether numbers of `dtype` can be weights as they stand: floating ones of a kind that libtorch has.
bool is_weight_dtype(Dtype dtype);

/// Index of the first number of a tensor that is NaN or infinite, of its first `most` numbers; none where all are
/// finite, and for integers. Reads the tensor's bytes.
std::optional<std::size_t> first_not_finite(const TensorView& view, std::size_t most = static_cast<std::size_t>(-1));

/// Tensors with a number that is NaN or infinite.
struct WeightFaults {
  std::size_t count = 0;
  std::string first;  ///< "tensor conv_in.weight is NaN or infinite at its number 17"

  /// Counts the tensor `name`, whose number `place` is the first such one.
  void add(const std::string& name, std::size_t place);

  /// Counts those of `more`, which come after these.
  void add(const WeightFaults& more);
};

/// The weights of a model that are not finite, with the file of the first in `first`. Reads every weight file whole, on
/// two threads; tensors outside the prefixes of its parts do not count.
WeightFaults faults_in_weights(const Model& model);

}  // namespace lapis::io
