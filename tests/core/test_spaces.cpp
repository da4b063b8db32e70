#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "core/family/spaces.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::core;

TEST_CASE("every space is found by its id, and its name leads back to it") {
  std::set<std::string> ids;
  for (const SpaceRow& row : spaces()) {
    INFO(row.space.id);
    CHECK(find_space(row.space.id) == &row);
    CHECK(ids.insert(row.space.id).second);
    CHECK(parse_space(space_name(row.space)) == row.space);
    CHECK_FALSE(row.used_by.empty());
    CHECK_FALSE(row.source.empty());
    CHECK(row.packing >= 1);
    CHECK(row.space.mean.size() == row.space.deviation.size());
    if (!row.space.mean.empty()) CHECK(row.space.mean.size() == static_cast<std::size_t>(row.space.channels));
  }
  CHECK(find_space("") == nullptr);
}

TEST_CASE("every lineage belongs to a space and has a colour for each channel or none") {
  for (const LineageRow& row : lineages()) {
    INFO(row.name);
    CHECK(find_lineage(row.name) == &row);
    const SpaceRow* space = find_space(row.space);
    REQUIRE(space != nullptr);
    const auto channels = static_cast<std::size_t>(space->space.channels);
    if (!row.rgb.empty()) CHECK(row.rgb.size() == channels);
    if (!row.spread.empty()) CHECK(row.spread.size() == channels);
  }
  CHECK(find_lineage("sd16") == nullptr);
}

TEST_CASE("spaces have their published numbers") {
  CHECK(find_space("sd15")->space == Space{"sd15", 4, 8, 0.18215, 0, "sd15"});
  CHECK(find_space("sdxl")->space == Space{"sdxl", 4, 8, 0.13025, 0, "sdxl"});
  CHECK(find_space("flux")->space == Space{"flux", 16, 8, 0.3611, 0.1159, "flux"});
  CHECK(find_space("sd3")->space == Space{"sd3", 16, 8, 1.5305, 0.0609, "sd3"});
}

TEST_CASE("names of spaces carry a lineage where it is not the published one") {
  const Space tiny = parse_space("sd15:tiny-sd15");
  CHECK(tiny.id == "sd15");
  CHECK(tiny.lineage == "tiny-sd15");
  CHECK(space_name(tiny) == "sd15:tiny-sd15");
  CHECK(space_name(find_space("sd2")->space) == "sd2:sd15");
  CHECK_THROWS_AS(parse_space("sd15:"), Error);
  CHECK_THROWS_WITH(parse_space("sdlx"), Catch::Contains("sdxl"));
}

TEST_CASE("the count of channels makes no two spaces the same") {
  const auto space = [](const char* name) { return parse_space(name); };
  CHECK(same_numbers(space("sd15"), space("sd2")));
  CHECK_FALSE(same_values(space("sd15"), space("sdxl")));
  CHECK_FALSE(same_values(space("sd3"), space("flux")));
  CHECK_FALSE(same_values(space("sd15"), space("sd15:tiny-sd15")));
  CHECK(same_values(space("sdxl"), space("playground25")));
  CHECK_FALSE(same_numbers(space("sdxl"), space("playground25")));
}

TEST_CASE("numbers lead to the spaces that have them, whatever the names say") {
  using Ids = std::vector<std::string>;
  CHECK(spaces_with_numbers({"", 4, 8, 0.18215, 0, ""}) == Ids{"sd15", "sd2"});
  CHECK(spaces_with_numbers({"sd15", 4, 8, 0.13025, 0, "mine"}) == Ids{"sdxl"});
  CHECK(spaces_with_numbers({"", 16, 8, 0.3611, 0.1159, ""}) == Ids{"flux"});
  CHECK(spaces_with_numbers({"", 16, 8, 0.3611, 0, ""}).empty());
  CHECK(spaces_with_numbers(find_space("playground25")->space) == Ids{"playground25"});
}
