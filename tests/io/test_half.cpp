#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>

#include "io/file/half.hpp"

using namespace lapis::io;

namespace {

constexpr unsigned patterns = 0x10000;

std::uint16_t pattern(unsigned bits) { return static_cast<std::uint16_t>(bits); }

/// By IEEE 754's words: sign, exponent, fraction.
double f16_by_definition(unsigned bits) {
  const double sign = (bits & 0x8000U) != 0 ? -1 : 1;
  const int exponent = static_cast<int>((bits >> 10U) & 31U);
  const double fraction = (bits & 1023U) / 1024.0;
  return exponent == 0 ? sign * std::ldexp(fraction, -14) : sign * std::ldexp(1 + fraction, exponent - 15);
}

}  // namespace

TEST_CASE("every 16-bit float is widened and narrowed to its own bits") {
  unsigned f16_lost = 0;
  unsigned bf16_lost = 0;
  for (unsigned bits = 0; bits < patterns; ++bits) {
    if (to_f16(from_f16(pattern(bits))) != bits) ++f16_lost;
    if (to_bf16(from_bf16(pattern(bits))) != bits) ++bf16_lost;
  }
  CHECK(f16_lost == 0);
  CHECK(bf16_lost == 0);
}

TEST_CASE("half floats have the values that IEEE 754 gives them") {
  unsigned wrong = 0;
  for (unsigned bits = 0; bits < patterns; ++bits) {
    if (((bits >> 10U) & 31U) == 31) continue;
    if (static_cast<double>(from_f16(pattern(bits))) != f16_by_definition(bits)) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK(std::isinf(from_f16(0x7C00)));
  CHECK(from_f16(0xFC00) < 0);
  CHECK(std::isnan(from_f16(0x7C01)));
  CHECK(from_bf16(0x3F80) == 1);
  CHECK(from_bf16(0xC2F7) == -123.5F);
}

TEST_CASE("narrowing goes to the nearest half float, ties to even") {
  unsigned wrong = 0;
  for (unsigned bits = 0; bits + 1 < 0x7C00; ++bits) {
    const float low = from_f16(pattern(bits));
    const float high = from_f16(pattern(bits + 1));
    const float middle = low + (high - low) / 2;
    const unsigned even = bits % 2 == 0 ? bits : bits + 1;
    if (to_f16(middle) != even) ++wrong;
    if (to_f16(std::nextafter(middle, low)) != bits) ++wrong;
    if (to_f16(std::nextafter(middle, high)) != bits + 1) ++wrong;
    if (to_f16(-middle) != (even | 0x8000U)) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK(to_bf16(1 + 0x1p-8F) == 0x3F80);
  CHECK(to_bf16(1 + 0x1p-8F + 0x1p-20F) == 0x3F81);
  CHECK(to_bf16(1 + 0x1.8p-7F) == 0x3F82);
}

TEST_CASE("what is too large becomes infinite, and NaN stays NaN") {
  CHECK(to_f16(65504) == 0x7BFF);
  CHECK(to_f16(65519) == 0x7BFF);
  CHECK(to_f16(65520) == 0x7C00);
  CHECK(to_f16(-1e10F) == 0xFC00);
  CHECK(to_f16(0x1p-25F) == 0);
  CHECK(to_f16(std::numeric_limits<float>::denorm_min()) == 0);
  CHECK(to_bf16(std::numeric_limits<float>::max()) == 0x7F80);
  CHECK(std::isnan(from_f16(to_f16(std::bit_cast<float>(0x7F80'0001U)))));
  CHECK(std::isnan(from_bf16(to_bf16(std::bit_cast<float>(0x7F80'0001U)))));
}
