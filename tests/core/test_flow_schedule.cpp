#include <catch2/catch.hpp>
#include <cmath>

#include "core/flow_schedule.hpp"
#include "golden.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

SamplingFacts flow_facts(const FlowShift& shift) {
  SamplingFacts facts;
  facts.prediction = Prediction::flow;
  facts.flow_shift = shift;
  return facts;
}

}  // namespace

TEST_CASE("flow sigmas equal diffusers'") {
  const nlohmann::json cases = test::golden_cases("flow_schedule");
  REQUIRE(cases.size() >= 10);
  for (const nlohmann::json& golden : cases) {
    INFO(golden.dump().substr(0, 200));
    FlowShift shift;
    shift.dynamic = golden.at("dynamic").get<bool>();
    shift.shift = golden.at("shift").get<double>();
    const Schedule found =
        make_flow_schedule(flow_facts(shift), golden.at("steps").get<int>(), golden.at("tokens").get<int>());
    auto sigmas = golden.at("sigmas").get<std::vector<double>>();
    CHECK(test::largest_error(found.sigmas, sigmas) < 1e-6);
    CHECK(test::largest_error(found.timesteps, golden.at("timesteps").get<std::vector<double>>()) < 1e-6);
    CHECK(found.initial_noise == 1);
    sigmas.front() *= 1 + 2e-6;
    CHECK(test::largest_error(found.sigmas, sigmas) > 1e-6);
  }
}

TEST_CASE("a dynamic shift runs along its line of tokens") {
  const FlowShift shift{true};
  CHECK(flow_mu(shift, 256) == Approx(0.5));
  CHECK(flow_mu(shift, 4096) == Approx(1.15));
  CHECK(flow_mu(shift, 2176) == Approx(0.825));
  CHECK(flow_mu(FlowShift{false, 3}, 256) == Approx(std::log(3.0)));
}
