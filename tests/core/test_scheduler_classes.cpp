#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "core/sampling/samplers.hpp"
#include "core/sampling/schedule_table.hpp"
#include "core/sampling/scheduler_classes.hpp"
#include "core/sampling/schedules.hpp"
#include "golden.hpp"

using namespace lapis;
using namespace lapis::core;

TEST_CASE("every scheduler class of diffusers is taken with all of its keys, or refused by name") {
  const nlohmann::json cases = test::golden_cases("scheduler_keys");
  REQUIRE(cases.size() >= 51);
  std::set<std::string> seen;
  for (const nlohmann::json& golden : cases) {
    const auto name = golden.at("class").get<std::string>();
    INFO(name);
    seen.insert(name);
    const SchedulerClass* row = find_scheduler_class(name);
    REQUIRE(row != nullptr);
    if (!row->refused.empty()) continue;
    for (const auto& [key, value] : golden.at("keys").items()) {
      INFO(key);
      CHECK(reads(*row, key));
      CHECK(find_scheduler_key(*row, key) != nullptr);
      CHECK_FALSE(reads(*row, key + "x"));
    }
    for (const SchedulerKey& key : scheduler_keys()) {
      INFO(key.name);
      CHECK(reads(*row, key.name) == golden.at("keys").contains(std::string(key.name)));
    }
  }
  for (const SchedulerClass& row : scheduler_classes()) {
    INFO(row.name);
    CHECK(seen.contains(std::string(row.name)));
    CHECK(row.refused.empty());
  }
}

TEST_CASE("what a class takes where its configuration says nothing is what diffusers takes") {
  for (const nlohmann::json& golden : test::golden_cases("scheduler_keys")) {
    const SchedulerClass& row = *find_scheduler_class(golden.at("class").get<std::string>());
    if (!row.refused.empty()) continue;
    INFO(row.name);
    const nlohmann::json& keys = golden.at("keys");
    CHECK(keys.at("num_train_timesteps") == 1000);
    CHECK(keys.contains("beta_start") == (row.path != Path::flow));
    if (keys.contains("beta_start")) CHECK(keys.at("beta_start") == row.beta_start);
    if (keys.contains("beta_end")) CHECK(keys.at("beta_end") == row.beta_end);
    if (keys.contains("beta_schedule")) CHECK(keys.at("beta_schedule") == beta_curve_row(row.curve).diffusers);
    if (keys.contains("timestep_spacing")) CHECK(keys.at("timestep_spacing") == spacing_name(row.spacing));
  }
}

TEST_CASE("a class's own default is accepted, but where lapis tells that it has its own way") {
  for (const nlohmann::json& golden : test::golden_cases("scheduler_keys")) {
    const SchedulerClass& row = *find_scheduler_class(golden.at("class").get<std::string>());
    if (!row.refused.empty()) continue;
    for (const auto& [name, value] : golden.at("keys").items()) {
      const SchedulerKey& key = *find_scheduler_key(row, name);
      INFO(row.name << ", " << name << " " << value.dump());
      // The pipelines of diffusers turn its clipping off, which is for pixels.
      const bool clips = name == "clip_sample" && value == true;
      if (key.use == KeyUse::only) CHECK(accepts(key, value.dump()) == !clips);
    }
  }
}

TEST_CASE("a key with conditions says what they are, and accepts no other value") {
  for (const SchedulerKey& key : scheduler_keys()) {
    INFO(key.name);
    const bool conditional = key.use == KeyUse::only || key.use == KeyUse::noted;
    CHECK(conditional != key.accepted.empty());
    CHECK(conditional != key.why.empty());
    CHECK(accepts(key, "null"));
    CHECK_FALSE(accepts(key, "\"another\""));
    CHECK_FALSE(accepts(key, "17.5"));
    CHECK_FALSE(accepts(key, ""));
  }
  const SchedulerClass& multistep = *find_scheduler_class("DPMSolverMultistepScheduler");
  CHECK(accepts(*find_scheduler_key(multistep, "solver_order"), "2.0"));
  CHECK_FALSE(accepts(*find_scheduler_key(multistep, "solver_order"), "3"));
  CHECK_FALSE(accepts(*find_scheduler_key(multistep, "solver_type"), "\"heun\""));
  CHECK(accepts(*find_scheduler_key(*find_scheduler_class("UniPCMultistepScheduler"), "solver_type"), "\"heun\""));
}

TEST_CASE("a class names a sampler and a schedule that there are, on its path") {
  for (const SchedulerClass& row : scheduler_classes()) {
    INFO(row.name);
    CHECK(supports(find_sampler(row.sampler.empty() ? "euler" : row.sampler), row.path));
    CHECK(supports(find_schedule(row.schedule), row.path, "sd15"));
    const SamplerRow& sampler = find_sampler(row.sampler.empty() ? "euler" : row.sampler);
    const bool alias = std::find(sampler.aliases.begin(), sampler.aliases.end(), row.name) != sampler.aliases.end();
    CHECK((alias || row.sampler.empty() || row.name.find("Parallel") != std::string_view::npos));
  }
  CHECK(find_scheduler_class("Euler") == nullptr);
}
