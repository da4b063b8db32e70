#include <array>
#include <catch2/catch.hpp>
#include <span>
#include <string>
#include <vector>

#include "core/text/choice.hpp"
#include "lapis/error.hpp"

using namespace lapis::core;

namespace {

struct Row {
  std::string name;
  std::vector<std::string> aliases;
};

std::vector<std::string> names_of(const Row& row) {
  std::vector<std::string> names{row.name};
  names.insert(names.end(), row.aliases.begin(), row.aliases.end());
  return names;
}

const std::array<Row, 2> table = {{{"euler", {"k_euler"}}, {"heun", {"HeunDiscreteScheduler"}}}};
const std::span<const Row> choice_rows = table;

}  // namespace

TEST_CASE("a row is found by its name alone, or by all it is called") {
  CHECK(&row_named("x", "heun", choice_rows) == &choice_rows[1]);
  CHECK_THROWS_WITH(row_named("x", "k_euler", choice_rows),
                    "x is \"k_euler\"; expected one of \"euler\" and "
                    "\"heun\". Did you mean \"euler\"?");
  CHECK(&row_called("x", "K Euler", choice_rows) == &choice_rows[0]);
}

TEST_CASE("a word that is none is refused with all names and the nearest, and ends without a full stop") {
  CHECK_THROWS_WITH(row_named("x", "lcm", choice_rows), "x is \"lcm\"; expected one of \"euler\" and \"heun\"");
  CHECK_THROWS_WITH(row_called("x", "HeunDiscreteSheduler", choice_rows),
                    "x is \"HeunDiscreteSheduler\"; expected one of \"euler\" and \"heun\". Did you mean "
                    "\"HeunDiscreteScheduler\"?");
  const std::array<std::string, 2> words = {"on", "off"};
  CHECK_NOTHROW(expect_word("x", "off", words));
  CHECK_THROWS_WITH(expect_word("x", "true", words),
                    "x is \"true\"; expected one of \"on\" and \"off\". Did you mean "
                    "\"on\"?");
  CHECK_THROWS_AS(refuse_word("x", "y", words), lapis::Error);
}
