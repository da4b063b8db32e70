// 16-bit floats, in both of their formats, by their bits alone: no processor mode changes what comes out.
#pragma once

#include <cstdint>

namespace lapis::io {

/// The number of 16 bits in 32, which is exact. A NaN keeps its sign and payload, so narrowing gives its bits back.
float from_f16(std::uint16_t bits);
float from_bf16(std::uint16_t bits);

/// The nearest number of 16 bits, of two equally near to the one whose last bit is 0 (IEEE 754); too large for the
/// format: infinite.
std::uint16_t to_f16(float value);
std::uint16_t to_bf16(float value);

}  // namespace lapis::io
