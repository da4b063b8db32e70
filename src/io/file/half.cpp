#include "io/file/half.hpp"

#include <bit>

namespace lapis::io {
namespace {

constexpr std::uint32_t infinity = 0x7F80'0000;
constexpr std::uint32_t f16_infinity = 0x7C00;
constexpr std::uint32_t f16_quiet = 0x0200;
constexpr std::uint32_t f16_least_normal = 113U << 23U;  ///< 2^-14, as a float's bits

/// `mantissa` / 2^shift, rounded to even; shift of 1 to 31.
std::uint32_t rounded(std::uint32_t mantissa, std::uint32_t shift) {
  const std::uint32_t below = (1U << (shift - 1)) - 1 + ((mantissa >> shift) & 1U);
  return (mantissa + below) >> shift;
}

}  // namespace

float from_f16(std::uint16_t bits) {
  const std::uint32_t sign = (bits & 0x8000U) << 16U;
  const std::uint32_t exponent = (bits >> 10U) & 0x1FU;
  const std::uint32_t fraction = bits & 0x3FFU;
  if (exponent == 0x1F) return std::bit_cast<float>(sign | infinity | (fraction << 13U));
  if (exponent != 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23U) | (fraction << 13U));
  const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
}

float from_bf16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t{bits} << 16U); }

std::uint16_t to_f16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16U) & 0x8000U;
  const std::uint32_t magnitude = bits & 0x7FFF'FFFFU;
  std::uint32_t result = 0;
  if (magnitude > infinity) {
    const std::uint32_t payload = (magnitude >> 13U) & 0x3FFU;
    result = f16_infinity | (payload == 0 ? f16_quiet : payload);
  } else if (magnitude >= f16_least_normal) {
    const std::uint32_t scaled = rounded(magnitude - (112U << 23U), 13);
    result = scaled < f16_infinity ? scaled : f16_infinity;
  } else if (const std::uint32_t exponent = magnitude >> 23U; exponent >= 102) {
    result = rounded((magnitude & 0x7F'FFFFU) | 0x80'0000U, 126 - exponent);
  }
  return static_cast<std::uint16_t>(sign | result);
}

std::uint16_t to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const bool nan = (bits & 0x7FFF'FFFFU) > infinity;
  if (!nan) return static_cast<std::uint16_t>(rounded(bits, 16));
  const std::uint32_t upper = bits >> 16U;
  return static_cast<std::uint16_t>((upper & 0x7FU) == 0 ? upper | 0x40U : upper);
}

}  // namespace lapis::io
