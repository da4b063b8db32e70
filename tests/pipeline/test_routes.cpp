#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "pipeline/routes.hpp"

using namespace lapis::pipeline;

TEST_CASE("routes are a row for each ordered pair of spaces, with what is at hand") {
  ModelCatalog catalog;
  const auto rows = route_rows(catalog);
  REQUIRE(rows.size() > 1);
  const std::size_t pairs = rows.size() - 1;
  std::size_t spaces = 1;
  while (spaces * spaces < pairs) ++spaces;
  CHECK(spaces * spaces == pairs);
  const auto row_of = [&](const std::string& from, const std::string& to) {
    for (const std::vector<std::string>& row : rows) {
      if (row[0] == from && row[1] == to) return row;
    }
    return std::vector<std::string>(6);
  };
  CHECK(row_of("sd15:tiny-sd15", "sd15:tiny-sd15")[2] == "same");
  const auto known = row_of("sd15:tiny-sd15", "flux:tiny-flux");
  CHECK(known[2] == "re-encode");
  CHECK(known[5] == "yes");
  CHECK(row_of("sd15", "sdxl")[5] == "no decoder of sd15");
}
