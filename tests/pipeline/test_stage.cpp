#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/job/job_fields.hpp"
#include "core/text/names.hpp"
#include "lapis/error.hpp"
#include "pipeline/stage.hpp"
#include "recording_engine.hpp"

using namespace lapis;
using namespace lapis::pipeline;

namespace {

Job job_of(const std::string& then) {
  Job job;
  job.prompt = "a red house";
  job.then = then;
  job.seed = 7;
  return job;
}

StagePlan plan_of(const Job& job, const Model& own, ModelCatalog& catalog) {
  return plan_stage(job, core::resolve(job, own, 1), own, {}, catalog);
}

}  // namespace

TEST_CASE("a second model goes on with the first one's prompt and seed, at the strength that is asked") {
  ModelCatalog catalog;
  const Model& own = catalog.open("tiny-sd15");
  const StagePlan plan = plan_of(job_of("tiny-sdxl:0.25"), own, catalog);
  CHECK(plan.model == &catalog.open("tiny-sdxl"));
  CHECK(plan.job.prompt == "a red house");
  CHECK(plan.job.seed == 7);
  CHECK(plan.job.strength == 0.25);
  CHECK(plan.name() == "tiny-sdxl:0.25");
  CHECK(plan.handoff.own == &own);
  CHECK(plan.handoff.latent.name == "what tiny-sd15 makes");
  CHECK(plan.notes.empty());
}

TEST_CASE("LoRAs and a negative prompt go along only where the second model has a use for them") {
  ModelCatalog catalog;
  const Model& own = catalog.open("tiny-sd15");
  Job job = job_of("tiny-sd15:0.5");
  job.loras = {"style.safetensors"};
  job.negative_prompt = "fog";
  const StagePlan same = plan_of(job, own, catalog);
  CHECK(same.takes_loras);
  CHECK(same.notes.empty());
  CHECK(same.job.negative_prompt == "fog");
  job.then = "tiny-flux:0.5";
  const StagePlan other = plan_of(job, own, catalog);
  CHECK_FALSE(other.takes_loras);
  REQUIRE(other.notes.size() == 2);
  CHECK(other.notes[0] == "tiny-flux is of another family: the LoRAs are tiny-sd15's alone");
  CHECK(other.notes[1] == "tiny-flux makes no negative pass: the negative prompt is tiny-sd15's alone");
}

TEST_CASE("what the first model made arrives with its history, by its pictures where there is no other way") {
  ModelCatalog catalog;
  const Model& own = catalog.open("tiny-sd15");
  Latent latent;
  latent.space = own.space;
  latent.shape = {1, 4, 16, 16};
  latent.values.assign(4 * 16 * 16, 50);
  const std::vector<Transcode> before{{"rescale", "sd15", "sd15:tiny-sd15", {128, 128}, {}}};
  test::RecordingEngine engine;
  engine.expected_tiling = "auto";
  const StagePlan near = plan_of(job_of("tiny-sd15:0.5"), own, catalog);
  const Transcoded same = carry(near, {latent, {}, before}, engine, {});
  CHECK(engine.calls.empty());
  CHECK(same.document.values == latent.values);
  CHECK(same.document.passport.history == before);
  const StagePlan far = plan_of(job_of("tiny-flux:0.5"), own, catalog);
  const Transcoded other = carry(far, {latent, {test::RecordingEngine::grey(128, 128, 50)}, before}, engine, {});
  CHECK(engine.calls.front() == "encode by tiny-flux");
  CHECK(other.document.passport.history.size() == 2);
  CHECK(other.document.passport.space == far.model->space);
}

TEST_CASE("a second model that cannot be reached is refused with a line about models, as there is no file") {
  ModelCatalog catalog;
  const Model& own = catalog.open("tiny-sd15");
  Job job = job_of("tiny-flux:0.5");
  job.width = 72;  // no multiple of 16
  CHECK_THROWS_WITH(plan_of(job, own, catalog),
                    Catch::EndsWith("Choose a size and models that go together: check tiny-sd15 tiny-flux"));
  job.then = "no-such-model";
  CHECK_THROWS_AS(plan_of(job, own, catalog), Error);
}
