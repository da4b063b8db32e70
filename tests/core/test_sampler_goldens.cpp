#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <utility>

#include "core/sampling/samplers.hpp"
#include "sampler_runs.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

constexpr double tolerance = 1e-6;

/// Rows on a path that neither k-diffusion nor diffusers samples on; the test of both paths as one covers them.
const std::set<std::pair<std::string, std::string>> without_golden = {
    {"ddim", "flow"}, {"dpmpp_sde", "flow"}, {"dpmpp_3m_sde", "flow"}};

}  // namespace

TEST_CASE("every evaluation of every sampler equals k-diffusion's or diffusers'") {
  const nlohmann::json cases = test::golden_cases("samplers");
  REQUIRE(cases.size() >= 59);
  for (const nlohmann::json& golden : cases) {
    INFO(golden.at("sampler") << ", " << golden.at("path") << ", " << golden.at("oracle") << ", eta "
                              << golden.at("eta"));
    CHECK(test::golden_error(golden, test::replay(golden)) < tolerance);
    CHECK_FALSE(test::golden_error(golden, test::replay(golden, 1e-4)) < tolerance);
    nlohmann::json other = golden;
    nlohmann::json& value = other["calls"].back()[1][2];
    value = value.get<double>() + 4e-6 * std::max(1.0, std::abs(other["calls"].back()[1][0].get<double>()));
    CHECK_FALSE(test::golden_error(other, test::replay(golden)) < tolerance);
  }
}

TEST_CASE("every sampler has a golden on every path it supports, or is named as one without") {
  std::set<std::pair<std::string, std::string>> found;
  for (const nlohmann::json& golden : test::golden_cases("samplers")) {
    found.insert({golden.at("sampler").get<std::string>(), golden.at("path").get<std::string>()});
  }
  for (const SamplerRow& row : samplers()) {
    for (const Path path : test::paths) {
      INFO(row.name << ", " << test::path_name(path));
      const std::pair key{row.name, test::path_name(path)};
      CHECK(supports(row, path) == (found.contains(key) || without_golden.contains(key)));
      CHECK_FALSE((found.contains(key) && without_golden.contains(key)));
    }
  }
}
