#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>

#include "io/file/half.hpp"
#include "io/model/weight_check.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

template <class Word>
std::optional<std::size_t> first_in(Dtype dtype, const std::vector<Word>& words,
                                    std::size_t most = static_cast<std::size_t>(-1)) {
  return first_not_finite({dtype, {static_cast<std::int64_t>(words.size())}, std::as_bytes(std::span(words))}, most);
}

TensorView floats(const std::vector<float>& values) {
  return {Dtype::f32, {static_cast<std::int64_t>(values.size())}, std::as_bytes(std::span(values))};
}

}  // namespace

TEST_CASE("the first number that is not finite is found in every floating type") {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  constexpr float infinity = std::numeric_limits<float>::infinity();
  constexpr float largest = std::numeric_limits<float>::max();
  CHECK_FALSE(first_in(Dtype::f32, std::vector<float>{0, -1, largest, std::nextafter(0.0F, 1.0F)}));
  CHECK(first_in(Dtype::f32, std::vector<float>{0, 1, nan, infinity}) == 2);
  CHECK(first_in(Dtype::f32, std::vector<float>{-infinity, 1}) == 0);
  CHECK_FALSE(first_in(Dtype::f64, std::vector<double>{1e308, -1}));
  CHECK(first_in(Dtype::f64, std::vector<double>{1e308, -std::numeric_limits<double>::infinity()}) == 1);
  for (const auto& [dtype, narrow] : {std::pair{Dtype::f16, &to_f16}, std::pair{Dtype::bf16, &to_bf16}}) {
    CHECK_FALSE(first_in(dtype, std::vector<std::uint16_t>{narrow(60000.0F), narrow(-1e-5F), narrow(0)}));
    CHECK(first_in(dtype, std::vector<std::uint16_t>{narrow(1), narrow(nan)}) == 1);
    CHECK(first_in(dtype, std::vector<std::uint16_t>{narrow(1), narrow(2), narrow(-infinity)}) == 2);
  }
  // OCP 8-bit floating point specification: E4M3 has no infinity, and NaN alone where all bits below the sign are set.
  CHECK_FALSE(first_in(Dtype::f8_e4m3, std::vector<std::uint8_t>{0x7E, 0xFE, 0x78}));
  CHECK(first_in(Dtype::f8_e4m3, std::vector<std::uint8_t>{0x7E, 0xFF}) == 1);
  CHECK_FALSE(first_in(Dtype::f8_e5m2, std::vector<std::uint8_t>{0x7B, 0xFB}));
  CHECK(first_in(Dtype::f8_e5m2, std::vector<std::uint8_t>{0x7B, 0xFC}) == 1);
  CHECK_FALSE(first_in(Dtype::i32, std::vector<std::int32_t>{-1, 0x7F800000}));
}

TEST_CASE("a look at the first numbers sees no further") {
  std::vector<float> values(10'000, 1.0F);
  values[9'000] = std::numeric_limits<float>::quiet_NaN();
  CHECK(first_not_finite(floats(values)) == 9'000);
  CHECK_FALSE(first_not_finite(floats(values), 9'000));
  CHECK(first_not_finite(floats(values), 9'001) == 9'000);
}

TEST_CASE("the faults of a model's weights are counted behind its parts' prefixes") {
  const TemporaryFolder folder;
  const std::vector<float> good(8, 1.0F);
  std::vector<float> bad = good;
  bad[5] = std::numeric_limits<float>::infinity();
  Safetensors content;
  content.tensors = {{"model.a", floats(bad)}, {"model.b", floats(bad)}, {"model_ema.a", floats(bad)}};
  write_safetensors(folder / "w.safetensors", content, false);
  content.tensors = {{"c", floats(good)}};
  write_safetensors(folder / "good.safetensors", content, false);
  Model model;
  model.parts["denoiser"].weights = {folder / "w.safetensors"};
  model.parts["denoiser"].prefix = "model.";
  model.parts["vae_decoder"].weights = {folder / "good.safetensors"};
  const WeightFaults faults = faults_in_weights(model);
  CHECK(faults.count == 2);
  CHECK(faults.first == (folder / "w.safetensors").string() + ": tensor model.a is NaN or infinite at its number 5");
  model.parts.erase("denoiser");
  CHECK(faults_in_weights(model).count == 0);
}
