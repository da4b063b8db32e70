#include "io/file/tensor_numbers.hpp"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "io/file/half.hpp"

namespace lapis::io {
namespace {

constexpr double no_number = std::numeric_limits<double>::quiet_NaN();

template <class Number>
double as(std::span<const std::byte> bytes) {
  Number number{};
  std::memcpy(&number, bytes.data(), sizeof(number));
  return static_cast<double>(number);
}

/// A float of one byte: a sign, an exponent, `mantissa` bits. Those with a NaN in place of minus zero (FNUZ) have no
/// infinity and a bias one larger; E4M3 has none either, and E5M2 is like IEEE's.
double small_float(std::uint8_t bits, int mantissa, bool fnuz) {
  if (fnuz && bits == 0x80U) return no_number;
  const int exponents = 7 - mantissa;
  const int bias = (1 << (exponents - 1)) - (fnuz ? 0 : 1);
  const int exponent = (bits & 0x7FU) >> static_cast<unsigned>(mantissa);
  const int fraction = bits & ((1U << static_cast<unsigned>(mantissa)) - 1U);
  const double sign = (bits & 0x80U) != 0 ? -1 : 1;
  const bool last = exponent == (1 << exponents) - 1 && !fnuz;
  if (last && mantissa == 2) return fraction == 0 ? sign * std::numeric_limits<double>::infinity() : no_number;
  if (last && fraction == (1 << mantissa) - 1) return no_number;
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias - mantissa);
  return sign * std::ldexp((1 << mantissa) + fraction, exponent - bias - mantissa);
}

double small_float(std::span<const std::byte> bytes, int mantissa, bool fnuz) {
  return small_float(std::to_integer<std::uint8_t>(bytes.front()), mantissa, fnuz);
}

/// The number of an exponent without sign and fraction (E8M0).
double power(std::uint8_t bits) {
  constexpr std::uint8_t nan = 0xFF;
  constexpr int bias = 127;
  return bits == nan ? no_number : std::ldexp(1.0, bits - bias);
}

}  // namespace

std::optional<double> single_number(const TensorView& tensor) {
  if (tensor.data.size() * 8 != dtype_bits(tensor.dtype)) return std::nullopt;
  switch (tensor.dtype) {
    case Dtype::boolean:
    case Dtype::u8: return as<std::uint8_t>(tensor.data);
    case Dtype::i8: return as<std::int8_t>(tensor.data);
    case Dtype::i16: return as<std::int16_t>(tensor.data);
    case Dtype::u16: return as<std::uint16_t>(tensor.data);
    case Dtype::i32: return as<std::int32_t>(tensor.data);
    case Dtype::u32: return as<std::uint32_t>(tensor.data);
    case Dtype::i64: return as<std::int64_t>(tensor.data);
    case Dtype::u64: return as<std::uint64_t>(tensor.data);
    case Dtype::f32: return as<float>(tensor.data);
    case Dtype::f64: return as<double>(tensor.data);
    case Dtype::f16: return from_f16(static_cast<std::uint16_t>(as<std::uint16_t>(tensor.data)));
    case Dtype::bf16: return from_bf16(static_cast<std::uint16_t>(as<std::uint16_t>(tensor.data)));
    case Dtype::f8_e4m3: return small_float(tensor.data, 3, false);
    case Dtype::f8_e5m2: return small_float(tensor.data, 2, false);
    case Dtype::f8_e4m3fnuz: return small_float(tensor.data, 3, true);
    case Dtype::f8_e5m2fnuz: return small_float(tensor.data, 2, true);
    case Dtype::f8_e8m0: return power(std::to_integer<std::uint8_t>(tensor.data.front()));
    case Dtype::f4:
    case Dtype::f6_e2m3:
    case Dtype::f6_e3m2:
    case Dtype::c64: break;
  }
  return std::nullopt;
}

}  // namespace lapis::io
