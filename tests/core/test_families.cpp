#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "core/families.hpp"

using namespace lapis;
using namespace lapis::core;

TEST_CASE("every row is found by its name, and names are not given twice") {
  std::set<std::string> names;
  for (const FamilyRow& row : families()) {
    CHECK(find_family(row.name) == &row);
    CHECK(names.insert(row.name).second);
    for (const PartRow& part : row.parts) CHECK(find_part(row, part.name) == &part);
    CHECK(find_part(row, "bridge") == nullptr);
  }
  std::set<std::string> ids;
  for (const Space& row : spaces()) {
    CHECK(find_space(row.id) == &row);
    CHECK(ids.insert(row.id).second);
    CHECK(row.lineage.empty());
  }
  CHECK(find_family("sd16") == nullptr);
  CHECK(find_space("") == nullptr);
}

TEST_CASE("every family fits its space") {
  for (const FamilyRow& row : families()) {
    INFO(row.name);
    const Space* space = find_space(row.space);
    REQUIRE(space != nullptr);
    CHECK(row.size_multiple % space->downscale == 0);
    CHECK_FALSE(row.predictions.empty());
    const PartRow* denoiser = find_part(row, "denoiser");
    REQUIRE(denoiser != nullptr);
    CHECK(denoiser->inputs.at(0).shape.at(1) == Dimension(space->channels));
    for (const SharedSize& shared : row.shared_sizes) {
      CHECK(find_part(row, shared.part) != nullptr);
      CHECK(find_part(row, shared.other_part) != nullptr);
    }
  }
}

TEST_CASE("SD1.5 has its published numbers") {
  const Space expected{"sd15", 4, 8, 0.18215, 0, ""};
  CHECK(*find_space("sd15") == expected);
}
