#include <array>
#include <catch2/catch.hpp>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/sampling/samplers.hpp"
#include "core/text/suggest.hpp"
#include "sampler_runs.hpp"

using namespace lapis;
using namespace lapis::core;
using test::no_callback;

TEST_CASE("the callback counts the steps, and what it throws ends the run") {
  const std::array<double, 4> sigmas = {4.0, 2.0, 1.0, 0.0};
  const SigmaTimeMap times({});
  const SamplerContext context{sigmas, Path::variance_exploding, 1, &times};
  const auto zero = [](double, double) { return 0.0; };
  const auto noise = [] { return 0.5; };
  for (const SamplerRow& row : samplers()) {
    INFO(row.name);
    std::vector<int> seen;
    const auto count = [&seen](int done, int all) {
      CHECK(all == 3);
      seen.push_back(done);
    };
    sample(row, zero, 8.0, context, noise, count);
    CHECK(seen == std::vector<int>{1, 2, 3});
    const auto stop_at_once = [](int, int) { throw std::runtime_error("stopped"); };
    CHECK_THROWS_WITH(sample(row, zero, 8.0, context, noise, stop_at_once), "stopped");
  }
}

TEST_CASE("a row says how often its network is asked") {
  const std::array<double, 4> sigmas = {4.0, 2.0, 1.0, 0.0};
  const SigmaTimeMap times({});
  for (const SamplerRow& row : samplers()) {
    INFO(row.name);
    int asked = 0;
    const auto zero = [&](double, double) { return ++asked, 0.0; };
    sample(
        row, zero, 8.0, {sigmas, Path::variance_exploding, 1, &times}, [] { return 0.5; }, no_callback);
    const int first = row.name == "pndm" ? 1 : 0;  // its improved Euler step
    CHECK(asked == 2 * row.evaluations + 1 + first);
  }
}

TEST_CASE("samplers go by name, label and alias, and no two by one") {
  std::set<std::string> taken;
  for (const SamplerRow& row : samplers()) {
    INFO(row.name);
    CHECK(&find_sampler(row.name) == &row);
    CHECK(&find_sampler(row.label) == &row);
    CHECK(taken.insert(row.name).second);
    for (const std::string& alias : row.aliases) {
      CHECK(&find_sampler(alias) == &row);
      CHECK(taken.insert(alias).second);
      CHECK_FALSE(equal_ignoring_case(alias, row.name));
    }
  }
  CHECK(find_sampler("K_EULER").name == "euler");
  CHECK(find_sampler("dpm++ 2m sde").name == "dpmpp_2m_sde");
  CHECK(find_sampler("UniPCMultistepScheduler").name == "unipc");
  CHECK_THROWS_WITH(find_sampler("eular"), Catch::Contains("Did you mean \"euler\"?"));
}

TEST_CASE("what cannot sample a flow says why") {
  for (const SamplerRow& row : samplers()) {
    CHECK(supports(row, Path::variance_exploding));
    CHECK(supports(row, Path::flow) == row.not_on_flow.empty());
  }
  CHECK(samplers_on(Path::variance_exploding).size() == samplers().size());
  CHECK(samplers_on(Path::flow).size() == samplers().size() - 3);
}
