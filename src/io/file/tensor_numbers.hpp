// Single numbers of tensors, of any type that a file may keep them in.
#pragma once

#include <optional>

#include "io/file/safetensors.hpp"

namespace lapis::io {

/// The value of a tensor of one number, which may be infinite or NaN; none where it has another count of numbers, or is
/// of a type without a value for each byte or more (F4, F6, complex).
std::optional<double> single_number(const TensorView& tensor);

}  // namespace lapis::io
