#include <catch2/catch.hpp>
#include <cmath>

#include "core/sampling/schedules.hpp"
#include "core/sampling/sigma_time_map.hpp"

using namespace lapis;
using namespace lapis::core;

TEST_CASE("every training sigma has its own time, and every time its sigma") {
  const SigmaTimeMap scale({});
  const std::vector<double> sigmas = training_sigmas({});
  for (std::size_t i = 0; i < sigmas.size(); ++i) {
    CHECK(scale.time_of(sigmas[i]) == Approx(static_cast<double>(i)).margin(1e-9));
    CHECK(scale.sigma_of(static_cast<double>(i)) == Approx(sigmas[i]).epsilon(1e-12));
  }
  CHECK(scale.smallest() == Approx(sigmas.front()));
  CHECK(scale.largest() == Approx(sigmas.back()));
}

TEST_CASE("between two training steps the logarithm of sigma runs straight, beyond the ends it stays") {
  const SigmaTimeMap scale({});
  const std::vector<double> sigmas = training_sigmas({});
  const double between = std::exp(0.75 * std::log(sigmas[400]) + 0.25 * std::log(sigmas[401]));
  CHECK(scale.time_of(between) == Approx(400.25).margin(1e-9));
  CHECK(scale.sigma_of(400.25) == Approx(between).epsilon(1e-12));
  CHECK(scale.time_of(1e-9) == 0);
  CHECK(scale.time_of(1e9) == 999);
  CHECK(scale.sigma_of(-3) == Approx(sigmas.front()));
  CHECK(scale.sigma_of(1e9) == Approx(sigmas.back()));
}

TEST_CASE("a flow's time is sigma times the training steps") {
  SamplingFacts facts;
  facts.prediction = Prediction::flow;
  const SigmaTimeMap scale(facts);
  CHECK(scale.time_of(0.25) == 250);
  CHECK(scale.sigma_of(250) == 0.25);
  CHECK(scale.sigma_of(1e9) == 1);
  CHECK(scale.largest() == 1);
  CHECK(scale.smallest() == 0.001);
}
