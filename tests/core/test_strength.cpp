#include <catch2/catch.hpp>

#include "core/sampling/strength.hpp"

using namespace lapis;
using namespace lapis::core;

TEST_CASE("strength says how many of the last steps are taken, as diffusers' get_timesteps has it") {
  constexpr Path path = Path::variance_exploding;
  CHECK(skipped_steps(20, 1, path) == 0);
  CHECK(skipped_steps(20, 0.75, path) == 5);
  CHECK(skipped_steps(10, 0.55, path) == 5);
  CHECK(skipped_steps(50, 0.29, path) == 36);   // 50 * 0.29 is 14.499999999999998
  CHECK(skipped_steps(100, 0.29, path) == 72);  // and 100 * 0.29 is 28.999999999999996
  CHECK(skipped_steps(10, 0.09, path) == 10);
  CHECK(skipped_steps(10, 0, path) == 10);
}

TEST_CASE("flow models round the other way") {
  CHECK(skipped_steps(10, 0.55, Path::flow) == 4);
  CHECK(skipped_steps(10, 0.09, Path::flow) == 9);
  CHECK(skipped_steps(10, 0, Path::flow) == 10);
  CHECK(skipped_steps(20, 1, Path::flow) == 0);
}

TEST_CASE("the rest of a schedule keeps its end") {
  const Schedule rest = rest_of({{4, 3, 2, 0}, {900, 600, 300}, 4}, 1);
  CHECK(rest.sigmas == std::vector<double>{3, 2, 0});
  CHECK(rest.timesteps == std::vector<double>{600, 300});
}
