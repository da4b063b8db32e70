#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "io/file/tensor_numbers.hpp"

using namespace lapis::io;

namespace {

template <class Number>
std::optional<double> read(Dtype dtype, Number number, const std::vector<std::int64_t>& shape = {}) {
  return single_number({dtype, shape, std::as_bytes(std::span(&number, 1))});
}

std::optional<double> byte(Dtype dtype, int bits) { return read(dtype, static_cast<std::uint8_t>(bits)); }

}  // namespace

TEST_CASE("one number is read of every type that has whole bytes") {
  CHECK(read(Dtype::f64, 0.1) == 0.1);
  CHECK(read(Dtype::f32, 2.5F, {1}) == 2.5);
  CHECK(read(Dtype::f16, std::uint16_t{0x3E00}, {1, 1}) == 1.5);
  CHECK(read(Dtype::bf16, std::uint16_t{0xBFC0}) == -1.5);
  CHECK(read(Dtype::i8, std::int8_t{-8}) == -8);
  CHECK(read(Dtype::u8, std::uint8_t{200}) == 200);
  CHECK(read(Dtype::i16, std::int16_t{-300}) == -300);
  CHECK(read(Dtype::u16, std::uint16_t{60000}) == 60000);
  CHECK(read(Dtype::i32, std::int32_t{-70000}) == -70000);
  CHECK(read(Dtype::u32, std::uint32_t{4000000000U}) == 4000000000.0);
  CHECK(read(Dtype::i64, std::int64_t{16}) == 16);
  CHECK(read(Dtype::u64, std::uint64_t{1} << 40U) == std::ldexp(1.0, 40));
  CHECK(read(Dtype::boolean, std::uint8_t{1}) == 1);
}

TEST_CASE("floats of one byte are those of their tables (OCP OFP8, and the FNUZ forms)") {
  CHECK(byte(Dtype::f8_e4m3, 0x48) == 4);
  CHECK(byte(Dtype::f8_e4m3, 0xC1) == -2.25);
  CHECK(byte(Dtype::f8_e4m3, 0x7E) == 448);
  CHECK(byte(Dtype::f8_e4m3, 0x01) == std::ldexp(1.0, -9));
  CHECK(std::isnan(*byte(Dtype::f8_e4m3, 0x7F)));
  CHECK(byte(Dtype::f8_e5m2, 0x7B) == 57344);
  CHECK(byte(Dtype::f8_e5m2, 0x03) == std::ldexp(3.0, -16));
  CHECK(std::isinf(*byte(Dtype::f8_e5m2, 0xFC)));
  CHECK(std::isnan(*byte(Dtype::f8_e5m2, 0x7D)));
  CHECK(byte(Dtype::f8_e4m3fnuz, 0x7F) == 240);
  CHECK(byte(Dtype::f8_e4m3fnuz, 0x40) == 1);
  CHECK(std::isnan(*byte(Dtype::f8_e4m3fnuz, 0x80)));
  CHECK(byte(Dtype::f8_e5m2fnuz, 0x7F) == 57344);
  CHECK(byte(Dtype::f8_e8m0, 130) == 8);
  CHECK(std::isnan(*byte(Dtype::f8_e8m0, 255)));
}

TEST_CASE("several numbers, none, and halves of a byte are no single number") {
  const std::vector<float> two = {1, 2};
  CHECK_FALSE(single_number({Dtype::f32, {2}, std::as_bytes(std::span(two))}).has_value());
  CHECK_FALSE(single_number({Dtype::f32, {0}, {}}).has_value());
  CHECK_FALSE(single_number({Dtype::f4, {2}, std::as_bytes(std::span(two)).first(1)}).has_value());
  CHECK_FALSE(single_number({Dtype::c64, {}, std::as_bytes(std::span(two))}).has_value());
}
