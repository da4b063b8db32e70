// The tables of docs/samplers.md, hidden among the tests: `test_core "[table]"` prints them.
#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <iostream>
#include <string>

#include "core/sampling/samplers.hpp"
#include "core/sampling/schedule_table.hpp"
#include "sampler_runs.hpp"
#include "schedule_goldens.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

std::string short_number(const char* format, double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

struct Tested {
  int cases = 0;
  double error = 0;

  void add(double found) {
    ++cases;
    error = std::max(error, found);
  }

  std::string text() const {
    return cases == 0 ? " - | - " : " " + std::to_string(cases) + " | " + short_number("%.0e", error) + " ";
  }
};

Tested sampler_goldens(const SamplerRow& row, Path path) {
  Tested tested;
  for (const nlohmann::json& golden : test::golden_cases("samplers")) {
    if (golden.at("sampler") != row.name || golden.at("path") != test::path_name(path)) continue;
    tested.add(test::golden_error(golden, test::replay(golden)));
  }
  return tested;
}

Tested schedule_goldens(const ScheduleRow& row, Path path) {
  Tested tested;
  for (const nlohmann::json& golden : test::golden_cases("schedule_table")) {
    if (golden.at("schedule") != row.name || golden.at("path") != test::path_name(path)) continue;
    tested.add(
        test::largest_error(test::schedule_of_golden(golden).sigmas, golden.at("sigmas").get<std::vector<double>>()));
  }
  return tested;
}

}  // namespace

TEST_CASE("the table of samplers", "[.table]") {
  const SigmaTimeMap times({});
  std::cout << "| sampler | path | goldens | cases | largest error | order | error of the spread, 100 steps |\n"
               "|---|---|---|---|---|---|---|\n";
  for (const SamplerRow& row : samplers()) {
    for (const Path path : test::paths) {
      if (!supports(row, path)) {
        std::cout << "| " << row.name << " | flow | refused: " << row.not_on_flow << " | | | | |\n";
        continue;
      }
      const Tested tested = sampler_goldens(row, path);
      const bool has_order = row.name != "lcm" && row.name != "ddpm";
      const bool has_spread = row.uses_noise && row.name != "lcm" && row.name != "tcd";
      std::cout << "| " << row.name << " | " << test::path_name(path) << " | "
                << (tested.cases > 0 ? row.oracle : "none; equal to the other path") << " |" << tested.text() << "| "
                << (has_order ? short_number("%.2f", test::measured_order(row, path)) : "-") << " | "
                << (has_spread ? short_number("%.1e", std::abs(test::moment_errors(row, path, 100, times).second))
                               : "-")
                << " |\n";
    }
  }
  CHECK_FALSE(samplers().empty());
}

TEST_CASE("the table of names", "[.table]") {
  const auto line = [](const std::string& name, const std::string& label, const std::vector<std::string>& aliases) {
    std::cout << "| " << name << " | " << label << " | ";
    for (const std::string& alias : aliases)
      std::cout << (&alias == &aliases.front() ? "" : ", ") << "`" << alias << "`";
    std::cout << " |\n";
  };
  std::cout << "| name | A1111 | also |\n|---|---|---|\n";
  for (const SamplerRow& row : samplers()) line(row.name, row.label, row.aliases);
  std::cout << "| name | A1111 | also |\n|---|---|---|\n";
  for (const ScheduleRow& row : schedules()) line(row.name, row.label, row.aliases);
  CHECK_FALSE(samplers().empty());
}

TEST_CASE("the table of schedules", "[.table]") {
  std::cout << "| schedule | goldens | cases, betas | largest error | cases, flow | largest error |\n"
               "|---|---|---|---|---|---|\n";
  for (const ScheduleRow& row : schedules()) {
    std::cout << "| " << row.name << " | " << row.oracle << " |"
              << schedule_goldens(row, Path::variance_exploding).text() << "|"
              << schedule_goldens(row, Path::flow).text() << "|\n";
  }
  CHECK_FALSE(schedules().empty());
}
