#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "core/text/job_limits.hpp"

using namespace lapis::core;

TEST_CASE("numbers are written in the fewest digits") {
  CHECK(number_text(7.5) == "7.5");
  CHECK(number_text(3) == "3");
  CHECK(number_text(0.18215) == "0.18215");
  CHECK(number_text(-1) == "-1");
  for (const double plain : {100000.0, 1e15, 0.0001, 123456789.25}) {
    CHECK(number_text(plain).find('e') == std::string::npos);
    CHECK(std::stod(number_text(plain)) == plain);
  }
  CHECK(number_text(100000) == "100000");
  CHECK(number_text(1e16) == "1e+16");
  CHECK(number_text(0.00001) == "1e-05");
}

TEST_CASE("things are counted in words that fit") {
  CHECK(count_text(0, "tensor") == "0 tensors");
  CHECK(count_text(1, "tensor") == "1 tensor");
  CHECK(count_text(2, "tensor") == "2 tensors");
}

TEST_CASE("limits hold at both ends, and for no NaN") {
  CHECK_FALSE(limit_problem("steps", 1, {1, 1000}).has_value());
  CHECK_FALSE(limit_problem("steps", 1000, {1, 1000}).has_value());
  CHECK(limit_problem("steps", 0, {1, 1000}) == "steps is 0; expected 1 to 1000");
  CHECK(limit_problem("guidance", std::nan(""), {0, 100}) == "guidance is nan; expected 0 to 100");
  CHECK(limit_problem("guidance", INFINITY, {0, 100}) == "guidance is inf; expected 0 to 100");
}

TEST_CASE("a side that is no multiple names the nearest sizes that are") {
  CHECK_FALSE(side_problem("width", 512, 8).has_value());
  CHECK(side_problem("width", 513, 8) == "width is 513; expected a multiple of 8: 512 or 520");
  CHECK(side_problem("width", 65, 48) == "width is 65; expected a multiple of 48: 96");
  CHECK(side_problem("width", 16383, 48) == "width is 16383; expected a multiple of 48: 16368");
  CHECK(side_problem("width", 63, 8) == "width is 63; expected 64 to 16384");
  CHECK(side_problem("width", -8, 8).has_value());
  CHECK(side_problem("width", 16392, 8).has_value());
}

TEST_CASE("no seed counts on beyond the largest") {
  constexpr std::uint64_t largest = 0xFFFF'FFFF'FFFF'FFFF;
  CHECK_FALSE(seed_problem("seed", largest, 1));
  CHECK_FALSE(seed_problem("seed", largest - 2, 3));
  CHECK(seed_problem("seed", largest, 2) ==
        "seed is 18446744073709551615; with 2 pictures it can be at most 18446744073709551614");
}

TEST_CASE("bytes are told in three digits") {
  CHECK(bytes_text(0) == "0 B");
  CHECK(bytes_text(999) == "999 B");
  CHECK(bytes_text(1000) == "1.00 kB");
  CHECK(bytes_text(41'523) == "41.5 kB");
  CHECK(bytes_text(999'499) == "999 kB");
  CHECK(bytes_text(999'500) == "1.00 MB");
  CHECK(bytes_text(4'266'000'000) == "4.27 GB");
  CHECK(bytes_text(std::numeric_limits<std::uint64_t>::max()) == "18.4 EB");
}
