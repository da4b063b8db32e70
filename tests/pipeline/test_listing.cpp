#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/listing.hpp"

using namespace lapis;
using namespace lapis::pipeline;

namespace {

Rows listed_plainly(const std::string& name, const Events& events = {}, bool whole = false) {
  ModelCatalog catalog;
  return listed(name, {catalog, events, [](std::string_view text) { return "<" + std::string(text) + ">"; }, whole});
}

std::vector<std::string> row_named(const Rows& rows, const std::string& name) {
  const auto row = std::ranges::find(rows, name, [](const std::vector<std::string>& each) { return each.front(); });
  return row == rows.end() ? std::vector<std::string>() : *row;
}

}  // namespace

TEST_CASE("every table has a head and rows as wide") {
  for (const std::string& name : listing_names()) {
    INFO(name);
    const Rows rows = listed_plainly(name);
    REQUIRE(rows.size() > 1);
    for (const std::vector<std::string>& row : rows) CHECK(row.size() == rows.front().size());
    CHECK(std::ranges::none_of(rows, [](const auto& row) { return row.front().empty(); }));
  }
}

TEST_CASE("a table that is not there is refused with the nearest, and one goes by its former name too") {
  CHECK_THROWS_WITH(listed_plainly("sampler"), Catch::Contains("Did you mean \"samplers\"?"));
  const Rows forms = listed_plainly("forms");
  CHECK(forms.front().front() == "form");
  CHECK(forms.back() == listed_plainly("formats").back());
}

TEST_CASE("a table says what its rows are") {
  CHECK(row_named(listed_plainly("models"), "tiny-sd15")[1] == "sd15");
  CHECK(row_named(listed_plainly("families"), "flux")[1] == "flux");
  CHECK(row_named(listed_plainly("formats"), "npy")[1] == "as told");
  CHECK(row_named(listed_plainly("schedules"), "karras")[3].front() == '<');
}

TEST_CASE("a program is told all numbers of a space, and a reader the first two") {
  const auto means = [](bool whole) { return row_named(listed_plainly("spaces", {}, whole), "playground25")[5]; };
  CHECK(std::ranges::count(means(false), ' ') == 2);
  CHECK(means(false).ends_with("..."));
  CHECK(std::ranges::count(means(true), ' ') == 3);
  CHECK_FALSE(means(true).ends_with("..."));
}

TEST_CASE("a folder that holds no sound model is a warning, and hides no other") {
  const std::filesystem::path place = std::filesystem::temp_directory_path() / "lapis-listing";
  std::filesystem::create_directories(place / "damaged");
  std::ofstream(place / "damaged" / "model.json") << "{";
  const char* const before = std::getenv("LAPIS_MODELS");
  const std::string kept = before == nullptr ? "" : before;
  setenv("LAPIS_MODELS", (place.string() + ":" + kept).c_str(), 1);
  std::vector<std::string> warnings;
  Events events;
  events.warning = [&](const std::string& text) { warnings.push_back(text); };
  const Rows rows = listed_plainly("models", events);
  before == nullptr ? unsetenv("LAPIS_MODELS") : setenv("LAPIS_MODELS", before, 1);
  std::filesystem::remove_all(place);
  REQUIRE(warnings.size() == 1);
  CHECK_THAT(warnings.front(), Catch::Contains("damaged") && Catch::Contains("docs/model-folder.md"));
  CHECK_FALSE(row_named(rows, "tiny-sd15").empty());
}

TEST_CASE("routes are a row for each ordered pair of spaces, with what is at hand") {
  const Rows rows = listed_plainly("routes");
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
