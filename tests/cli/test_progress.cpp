#include <catch2/catch.hpp>
#include <cstddef>
#include <string>
#include <tuple>

#include "cli/progress.hpp"

using lapis::cli::progress_line;

TEST_CASE("the bar shows steps, seconds a step and time left") {
  CHECK(progress_line(5, 20, 2.5, 79) == "[######------------------] 5/20  0.50 s/step  8 s left");
  CHECK(progress_line(20, 20, 10, 79) == "[########################] 20/20  0.50 s/step  0 s left");
}

TEST_CASE("long waits are told in minutes and hours") {
  CHECK(progress_line(1, 11, 60, 79).find("10 min left") != std::string::npos);
  CHECK(progress_line(1, 11, 3600, 79).find("10.0 h left") != std::string::npos);
}

TEST_CASE("no bar is wider than the terminal, and each width shows what it has room for") {
  for (int columns = 0; columns < 120; ++columns) {
    for (const auto& [done, all, seconds] : {std::tuple{1, 1, 0.1}, {5, 20, 2.5}, {999, 1000, 86400.0}}) {
      const std::string line = progress_line(done, all, seconds, columns);
      CHECK(line.size() <= static_cast<std::size_t>(columns));
      if (columns >= 10) CHECK(line.find(std::to_string(done) + "/" + std::to_string(all)) != std::string::npos);
    }
  }
  CHECK(progress_line(5, 20, 2.5, 49) == "[####---------------] 5/20  0.50 s/step  8 s left");
  CHECK(progress_line(5, 20, 2.5, 30) == "5/20  0.50 s/step  8 s left");
  CHECK(progress_line(5, 20, 2.5, 20) == "5/20  8 s left");
  CHECK(progress_line(5, 20, 2.5, 6) == "5/20");
  CHECK(progress_line(5, 20, 2.5, 2).empty());
}
