#include <catch2/catch.hpp>
#include <limits>
#include <string>

#include "io/latent/latent_numbers.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

TEST_CASE("numbers lie in files as they are, least significant byte first") {
  const std::vector<float> values{1, -2.5F};
  CHECK(as_text(number_bytes(values, LatentDtype::f32)) == std::string("\0\0\x80\x3F\0\0\x20\xC0", 8));
  CHECK(as_text(number_bytes(values, LatentDtype::f16)) == std::string("\0\x3C\0\xC1", 4));
  CHECK(as_text(number_bytes(values, LatentDtype::bf16)) == std::string("\x80\x3F\x20\xC0", 4));
  CHECK(number_bytes({}, LatentDtype::f32).empty());
  for (const LatentDtype dtype : {LatentDtype::f32, LatentDtype::f16, LatentDtype::bf16}) {
    const std::vector<std::byte> bytes = number_bytes(values, dtype);
    CHECK(bytes.size() == 2 * number_size(dtype));
    const TensorView tensor{tensor_dtype(dtype), {2}, bytes};
    CHECK(latent_dtype(tensor, "a") == dtype);
    CHECK(read_numbers(tensor, "a", false) == values);
  }
}

TEST_CASE("numbers that are not finite are counted and the first is placed") {
  std::vector<float> values(24);
  CHECK_NOTHROW(number_bytes(values, LatentDtype::f32));
  values[17] = std::numeric_limits<float>::infinity();
  std::string data = as_text(std::as_bytes(std::span(values)));
  const TensorView tensor{Dtype::f32, {2, 3, 4}, as_bytes(data)};
  check_fails(ErrorKind::input, {"a.npy holds 1 number that is", "[1, 1, 1]"},
              [&] { read_numbers(tensor, "a.npy", false); });
  CHECK(read_numbers(tensor, "a.npy", true) == values);
}

TEST_CASE("rounding gives what a file would give back") {
  std::vector<float> values{0.1F, 1.0F / 3, 1000.3F};
  const std::vector<float> exact = values;
  round_numbers(values, LatentDtype::f32);
  CHECK(values == exact);
  round_numbers(values, LatentDtype::f16);
  CHECK(values != exact);
  const std::vector<std::byte> bytes = number_bytes(exact, LatentDtype::f16);
  CHECK(read_numbers({Dtype::f16, {3}, bytes}, "a", false) == values);
}
