// 16-bit floats, in both of their forms, by their bits alone: no processor mode changes what comes out.
#pragma once

#include <cstdint>

namespace lapis::io {

/// Exact: every number of 16 bits is one of 32. A NaN keeps its sign and payload, so narrowing gives its bits back.
float from_f16(std::uint16_t bits);
float from_bf16(std::uint16_t bits);

/// To the nearest, of two equally near to the one whose last bit is 0 (IEEE 754); too large for the form: infinite.
std::uint16_t to_f16(float value);
std::uint16_t to_bf16(float value);

}  // namespace lapis::io
