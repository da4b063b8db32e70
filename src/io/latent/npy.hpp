// NumPy's file of one array, versions 1.0 to 3.0 (https://numpy.org/doc/stable/reference/generated/numpy.lib.format).
//
//   file   = "\x93NUMPY" major minor size header data
//   size   = u16 in version 1.0, u32 in 2.0 and 3.0, little-endian: bytes of the header
//   header = a Python dict of "descr", "fortran_order" and "shape", blanks, a newline
//   data   = the elements
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "io/file/safetensors.hpp"

namespace lapis::io {

/// Whether bytes begin as a .npy file does.
bool begins_as_npy(std::span<const std::byte> file);

/// Reads an array of float32 or float16, little-endian, in C order; its data point into `file`. Every departure,
/// another element type and data after the array's end included, throws Error{input}. float64 is refused too: half of
/// its bits would be lost.
TensorView parse_npy(std::span<const std::byte> file, const std::string& name);

/// The bytes that numpy.save writes (version 1.0) of an F32 or F16 tensor.
std::vector<std::byte> npy_bytes(const TensorView& tensor);

}  // namespace lapis::io
