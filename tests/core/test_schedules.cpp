#include <catch2/catch.hpp>
#include <cmath>
#include <string>

#include "core/sampling/schedules.hpp"
#include "golden.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

/// Of a schedule's numbers. Zero terminal SNR takes the last root from those before it, and torch's square root of
/// float32 may be off by its last bit; of a cosine's first 1 - abar float32 holds three digits.
double tolerance_of(const nlohmann::json& golden) {
  if (!golden.value("rescale_betas_zero_snr", false)) return 1e-6;
  return golden.at("beta_schedule") == "squaredcos_cap_v2" ? 2e-3 : 2e-5;
}

SamplingFacts facts_of(const nlohmann::json& golden) {
  SamplingFacts facts;
  facts.prediction = golden.at("prediction") == "v" ? Prediction::v : Prediction::epsilon;
  for (const BetaCurveRow& row : beta_curves()) {
    if (row.diffusers == golden.at("beta_schedule")) facts.beta_curve = row.curve;
  }
  facts.zero_snr = golden.value("rescale_betas_zero_snr", false);
  facts.beta_start = golden.at("beta_start").get<double>();
  facts.beta_end = golden.at("beta_end").get<double>();
  facts.steps_offset = golden.at("steps_offset").get<int>();
  return facts;
}

}  // namespace

TEST_CASE("schedules equal those of diffusers' EulerDiscreteScheduler") {
  const nlohmann::json cases = test::golden_cases("schedules");
  REQUIRE(cases.size() >= 70);
  for (const nlohmann::json& golden : cases) {
    const auto name = golden.at("spacing").get<std::string>();
    const int steps = golden.at("steps").get<int>();
    const double bound = tolerance_of(golden);
    INFO(name << ", " << steps << " steps, betas " << golden.at("beta_schedule"));
    const Schedule found = make_schedule(facts_of(golden), find_spacing(name), steps);
    auto sigmas = golden.at("sigmas").get<std::vector<double>>();
    CHECK(test::largest_error(found.sigmas, sigmas) < bound);
    CHECK(test::largest_error(found.timesteps, golden.at("timesteps").get<std::vector<double>>()) < bound);
    CHECK(test::largest_error({found.initial_noise}, {golden.at("initial_noise").get<double>()}) < bound);
    sigmas[sigmas.size() / 2] += 3 * bound * sigmas.front();
    CHECK_FALSE(test::largest_error(found.sigmas, sigmas) < bound);
    // Little but the end changes: not the first training step, and nothing much of a cosine, which nearly ends in 0.
    if (name != "trailing" && (steps == 1 || golden.at("beta_schedule") == "squaredcos_cap_v2")) continue;
    SamplingFacts other = facts_of(golden);
    other.zero_snr = !other.zero_snr;
    CHECK_FALSE(test::largest_error(make_schedule(other, find_spacing(name), steps).sigmas,
                                    golden.at("sigmas").get<std::vector<double>>()) < bound);
  }
}

TEST_CASE("with zero terminal SNR the last training step alone is noise alone, and the first stays") {
  SamplingFacts facts;
  const std::vector<double> plain = training_sigmas(facts);
  facts.zero_snr = true;
  const std::vector<double> rescaled = training_sigmas(facts);
  CHECK(rescaled.back() == Approx(4096).epsilon(1e-6));
  CHECK(rescaled.front() == Approx(plain.front()).epsilon(1e-4));
  for (std::size_t i = 1; i < rescaled.size(); ++i) CHECK(rescaled[i] > rescaled[i - 1]);
}

TEST_CASE("curves of betas go by their names, here and in diffusers") {
  for (const BetaCurveRow& row : beta_curves()) {
    CHECK(beta_curve_row(row.curve).name == row.name);
    CHECK_FALSE(row.diffusers.empty());
  }
}

TEST_CASE("every spacing falls from step to step and ends at 0, for every number of steps") {
  const SamplingFacts facts;
  for (const SpacingRow& row : spacings()) {
    for (int steps = 1; steps < 1000; steps += steps < 130 ? 1 : 29) {
      INFO(row.name << ", " << steps << " steps");
      const Schedule schedule = make_schedule(facts, row.spacing, steps);
      const auto count = static_cast<std::size_t>(steps);
      REQUIRE(schedule.timesteps.size() == count);
      REQUIRE(schedule.sigmas.size() == count + 1);
      CHECK(schedule.sigmas.back() == 0);
      bool falls = true;
      for (std::size_t i = 0; i < count; ++i) falls = falls && schedule.sigmas[i] > schedule.sigmas[i + 1];
      CHECK(falls);
    }
  }
}

TEST_CASE("a leading timestep that its offset takes past the training has the last training sigma") {
  const Schedule schedule = make_schedule({}, Spacing::leading, 1000);
  CHECK(schedule.timesteps.front() == 1000);
  CHECK(schedule.sigmas[0] == schedule.sigmas[1]);
  CHECK(schedule.sigmas[1] > schedule.sigmas[2]);
}

TEST_CASE("the training sigmas of SD1.5 are the known ones") {
  const std::vector<double> sigmas = training_sigmas({});
  REQUIRE(sigmas.size() == 1000);
  CHECK(sigmas.front() == Approx(0.029167).epsilon(1e-4));
  CHECK(sigmas[951] == Approx(11.02833).epsilon(1e-6));
  CHECK(sigmas.back() == Approx(14.6146412).epsilon(1e-6));
}

TEST_CASE("spacings go by their names") {
  for (const SpacingRow& row : spacings()) {
    CHECK(find_spacing(row.name) == row.spacing);
    CHECK(spacing_name(row.spacing) == row.name);
  }
  CHECK_THROWS_WITH(find_spacing("trailling"), Catch::Contains("Did you mean \"trailing\"?"));
  CHECK_THROWS_AS(find_spacing(""), Error);
}
