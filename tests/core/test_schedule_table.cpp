#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <set>
#include <string>

#include "../sample_model.hpp"
#include "core/sampling/samplers.hpp"
#include "core/sampling/schedule_shapes.hpp"
#include "core/sampling/schedule_table.hpp"
#include "core/text/suggest.hpp"
#include "schedule_goldens.hpp"

using namespace lapis;
using namespace lapis::core;

TEST_CASE("every schedule equals diffusers', k-diffusion's or its published formula") {
  const nlohmann::json cases = test::golden_cases("schedule_table");
  REQUIRE(cases.size() >= 250);
  for (const nlohmann::json& golden : cases) {
    INFO(golden.at("schedule") << ", " << golden.at("path") << ", " << golden.at("steps") << " steps, shift "
                               << golden.at("shift"));
    const Schedule found = test::schedule_of_golden(golden);
    const double allowed = test::allowed_sigma_error(golden);
    auto sigmas = golden.at("sigmas").get<std::vector<double>>();
    CHECK(test::largest_error(found.sigmas, sigmas) < allowed);
    if (!golden.at("times").is_null()) CHECK(test::time_error(golden, found) < test::allowed_time_error);
    sigmas[sigmas.size() / 2] *= 1 + 2 * allowed;
    if (sigmas[sigmas.size() / 2] != 0) CHECK_FALSE(test::largest_error(found.sigmas, sigmas) < allowed);
  }
}

TEST_CASE("every schedule has a golden on every path it fits") {
  std::set<std::pair<std::string, std::string>> found = {{"own", "variance_exploding"}};  // test_schedules.cpp
  found.insert({"by_hand", "flow"});  // nothing is computed but the times
  for (const nlohmann::json& golden : test::golden_cases("schedule_table")) {
    found.insert({golden.at("schedule").get<std::string>(), golden.at("path").get<std::string>()});
  }
  for (const ScheduleRow& row : schedules()) {
    CHECK(found.contains({row.name, "variance_exploding"}));
    CHECK(found.contains({row.name, "flow"}) == row.not_on_flow.empty());
  }
}

TEST_CASE("every schedule falls from step to step and ends at 0, for every number of steps, on every path") {
  for (const Prediction prediction : {Prediction::epsilon, Prediction::flow}) {
    Model model = test::sample_model();
    model.sampling.prediction = prediction;
    for (const ScheduleRow& row : schedules()) {
      if (row.kind == ScheduleKind::by_hand) continue;
      for (int steps = 1; steps < 1000; steps += steps < 60 ? 1 : 67) {
        if (schedule_problem(row, model, steps)) continue;
        INFO(row.name << ", " << steps << " steps");
        const Schedule schedule = make_schedule(model, row.kind, {Spacing::trailing, 1.7, {}}, steps);
        const auto count = static_cast<std::size_t>(steps);
        REQUIRE(schedule.sigmas.size() == count + 1);
        REQUIRE(schedule.timesteps.size() == count);
        CHECK(schedule.sigmas.back() == 0);
        CHECK(schedule.initial_noise == schedule.sigmas.front());
        CHECK(std::is_sorted(schedule.timesteps.rbegin(), schedule.timesteps.rend()));
        CHECK(std::adjacent_find(schedule.sigmas.begin(), schedule.sigmas.end(), std::less_equal<>()) ==
              schedule.sigmas.end());
      }
    }
  }
}

TEST_CASE("the sigmas of a flow equal those FluxPipeline steps through for a picture of so many tokens") {
  const nlohmann::json cases = test::golden_cases("flow_schedule");
  REQUIRE(cases.size() >= 10);
  Model model = test::sample_model();
  model.sampling.prediction = Prediction::flow;
  for (const nlohmann::json& golden : cases) {
    INFO(golden.dump().substr(0, 200));
    FlowShift facts;
    facts.dynamic = golden.at("dynamic").get<bool>();
    facts.shift = golden.at("shift").get<double>();
    const double shift = shift_of(facts, golden.at("tokens").get<int>());
    const int steps = golden.at("steps").get<int>();
    const Schedule found = make_schedule(model, ScheduleKind::own, {Spacing::leading, shift, {}}, steps);
    auto sigmas = golden.at("sigmas").get<std::vector<double>>();
    CHECK(test::largest_error(found.sigmas, sigmas) < 1e-6);
    CHECK(test::largest_error(found.timesteps, golden.at("timesteps").get<std::vector<double>>()) < 1e-6);
    CHECK(found.initial_noise == 1);
    sigmas.front() *= 1 + 2e-6;
    CHECK_FALSE(test::largest_error(found.sigmas, sigmas) < 1e-6);
  }
}

TEST_CASE("a flow's shift is its facts', or a line through its tokens") {
  CHECK(shift_of({.shift = 3}, 1024) == 3);
  FlowShift facts;
  facts.dynamic = true;
  CHECK(shift_of(facts, 256) == Approx(std::exp(0.5)));
  CHECK(shift_of(facts, 1024) == Approx(1.87761).epsilon(1e-5));
  CHECK(shift_of(facts, 4096) == Approx(3.15819).epsilon(1e-5));
  CHECK(shift_of(facts, 9216) == Approx(7.51324).epsilon(1e-5));
  CHECK(shifted(1, 3) == 1);
  CHECK(shifted(0.75, 3.15819) == Approx(0.904531).epsilon(1e-5));
}

TEST_CASE("schedules go by name, label and alias, and no two by one") {
  std::set<std::string> taken;
  for (const ScheduleRow& row : schedules()) {
    CHECK(&find_schedule(row.name) == &row);
    CHECK(&find_schedule(row.label) == &row);
    CHECK(taken.insert(row.name).second);
    for (const std::string& alias : row.aliases) {
      CHECK(&find_schedule(alias) == &row);
      CHECK(taken.insert(alias).second);
    }
  }
  CHECK(find_schedule("discrete").kind == ScheduleKind::normal);
  CHECK(find_schedule("Karras").kind == ScheduleKind::karras);
  CHECK(find_schedule("automatic").kind == ScheduleKind::own);
  CHECK_THROWS_WITH(find_schedule("karas"), Catch::Contains("Did you mean \"karras\"?"));
}

TEST_CASE("a schedule that does not fit says why, and what fits") {
  Model model = test::sample_model();
  const ScheduleRow& ays = find_schedule("ays");
  const ScheduleRow& lcm = find_schedule("lcm");
  CHECK_FALSE(schedule_problem(ays, model, 20));
  CHECK_FALSE(schedule_problem(lcm, model, 50));
  CHECK_THAT(schedule_problem(lcm, model, 51).value(), Catch::Contains("takes its steps from 50 and cannot make 51"));
  CHECK(supports(ays, Path::variance_exploding, "sdxl"));
  CHECK_FALSE(supports(ays, Path::variance_exploding, "sd2"));
  CHECK_FALSE(supports(ays, Path::flow, "sdxl"));
  CHECK(supports(find_schedule("karras"), Path::flow, "flux"));
  model.space.id = "sd2";
  CHECK_THAT(schedule_problem(ays, model, 20).value(), Catch::Contains("no table for models of space sd2"));
  model.sampling.prediction = Prediction::flow;
  const std::string text = schedule_problem(ays, model, 20).value();
  CHECK_THAT(text, Catch::Contains("fits no flow model") && Catch::Contains("\"karras\""));
  CHECK_THAT(text, !Catch::Contains("\"ays\""));
}

TEST_CASE("the first latent is scaled as the sampler's row wants it") {
  Model model = test::sample_model();
  ResolvedJob job;
  job.steps = 10;
  job.schedule = "karras";
  job.sampler = "euler";
  const double largest = schedule_of(job, model).sigmas.front();
  CHECK(schedule_of(job, model).initial_noise == largest);
  job.sampler = "dpmpp_2m";
  CHECK(schedule_of(job, model).initial_noise == Approx(std::hypot(largest, 1)));
  job.schedule = "own";
  job.sampler = "euler";
  const Schedule own = schedule_of(job, model);
  CHECK(own.initial_noise == Approx(std::hypot(own.sigmas.front(), 1)));
  model.sampling.prediction = Prediction::flow;
  for (const SamplerRow& row : samplers()) {
    job.sampler = row.name;
    CHECK(schedule_of(job, model).initial_noise == 1);
  }
}

TEST_CASE("the quantiles of a beta distribution are where its distribution says") {
  CHECK(beta_quantile(0.5, 0.6, 0.6) == Approx(0.5));
  CHECK(beta_quantile(0, 0.6, 0.6) == Approx(0).margin(1e-300));
  CHECK(beta_quantile(1, 0.6, 0.6) == 1);
  CHECK(beta_quantile(0.3, 1, 1) == Approx(0.3));
  CHECK(beta_quantile(0.3, 2, 1) == Approx(std::sqrt(0.3)));  // its distribution is x^2
}
