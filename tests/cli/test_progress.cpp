#include <catch2/catch.hpp>

#include "cli/progress.hpp"

using lapis::cli::progress_line;

TEST_CASE("the bar shows steps, seconds a step and time left") {
  CHECK(progress_line(5, 20, 2.5) == "[######------------------] 5/20  0.50 s/step  8 s left");
  CHECK(progress_line(20, 20, 10) == "[########################] 20/20  0.50 s/step  0 s left");
}

TEST_CASE("long waits are told in minutes and hours") {
  CHECK(progress_line(1, 11, 60).find("10 min left") != std::string::npos);
  CHECK(progress_line(1, 11, 3600).find("10.0 h left") != std::string::npos);
}
