#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/job/job_fields.hpp"
#include "io/report/report.hpp"
#include "lapis/error.hpp"
#include "latents.hpp"
#include "pipeline/start_latent.hpp"
#include "recording_engine.hpp"

using namespace lapis;
using namespace lapis::pipeline;

namespace {

/// A latent that `model` made of a prompt.
LatentInput recorded_latent(const Model& model, const std::string& prompt) {
  Job job;
  job.prompt = prompt;
  job.model = model.name;
  job.sampler = "heun";
  job.width = job.height = 64;
  LatentInput input{test::latent_of(model), std::string(64, 'b')};
  input.latent.latent.document.passport.job =
      io::provenance(core::resolved_fields(core::resolve(job, model, 1), model), model);
  return input;
}

AskedJob asked_for(const std::string& prompt) {
  AskedJob asked;
  asked.job.prompt = prompt;
  asked.job.strength = 0.5;
  if (!prompt.empty()) asked.named.insert("prompt");
  return asked;
}

StartLatentPlan plan_of(LatentInput input, const AskedJob& asked, const Model& model, ModelCatalog& catalog) {
  const std::optional<Job> recorded = recorded_job(input.latent, asked);
  return plan_start_latent(std::move(input), recorded, asked, model, {}, catalog);
}

}  // namespace

TEST_CASE("without a prompt the latent's own job is taken up, with its LoRAs, its sampler and its digest") {
  ModelCatalog catalog;
  const Model& model = catalog.open("tiny-sd15");
  const StartLatentPlan plan = plan_of(recorded_latent(model, "a lake"), asked_for(""), model, catalog);
  CHECK(plan.job.prompt == "a lake");
  CHECK(plan.job.init_latent == "sha256:" + std::string(64, 'b'));
  CHECK(plan.inherits_loras);
  CHECK(plan.sampler == "heun");
  CHECK_FALSE(plan.handoff.transcodes());
}

TEST_CASE("with a prompt of its own the job is as it was asked") {
  ModelCatalog catalog;
  const Model& model = catalog.open("tiny-sd15");
  const AskedJob asked = asked_for("a hut");
  const LatentInput input = recorded_latent(model, "a lake");
  CHECK(recorded_job(input.latent, asked)->model == "tiny-sd15");
  const StartLatentPlan plan = plan_of(input, asked, model, catalog);
  CHECK(plan.job.prompt == "a hut");
  CHECK_FALSE(plan.job.sampler);
  CHECK_FALSE(plan.inherits_loras);
  AskedJob named = asked;
  named.named.insert("model");
  CHECK_FALSE(recorded_job(input.latent, named));
}

TEST_CASE("a latent that records no prompt needs one") {
  ModelCatalog catalog;
  const Model& model = catalog.open("tiny-sd15");
  CHECK_THROWS_WITH(plan_of({test::latent_of(model), ""}, asked_for(""), model, catalog),
                    Catch::StartsWith("there is no prompt, and a.safetensors records none."));
  CHECK_THROWS_AS(plan_of(recorded_latent(model, ""), asked_for(""), model, catalog), Error);
}

TEST_CASE("a size that is asked is that of the picture in between, and has to suit the model") {
  ModelCatalog catalog;
  const Model& model = catalog.open("tiny-sd15");
  AskedJob asked = asked_for("a hut");
  asked.job.width = 128;
  CHECK(plan_of({test::latent_of(model), ""}, asked, model, catalog).handoff.route.size == PixelSize{128, 128});
  asked.job.width = 100;
  CHECK_THROWS_WITH(plan_of({test::latent_of(model), ""}, asked, model, catalog),
                    Catch::StartsWith("width is 100; expected a multiple of 8"));
}

TEST_CASE("what another sampler remembers is left out, and that is noted") {
  ModelCatalog catalog;
  const Model& model = catalog.open("tiny-sd15");
  LatentInput input = recorded_latent(model, "a lake");
  io::LatentDocument& document = input.latent.latent.document;
  document.passport.sigma = 0.5;
  document.memory = {document.values};
  const StartLatentPlan plan = plan_of(input, asked_for(""), model, catalog);
  test::RecordingEngine engine;
  ResolvedJob job;
  job.sampler = "heun";
  const StartLatent own = carry(plan, job, engine, {});
  CHECK(own.latent.memory.size() == 1);
  CHECK(own.notes.empty());
  job.sampler = "euler";
  const StartLatent other = carry(plan, job, engine, {});
  CHECK(other.latent.memory.empty());
  CHECK(other.latent.values == document.values);
  REQUIRE(other.notes.size() == 1);
  CHECK(other.notes.front() == "a.safetensors: what heun remembered is left out; euler begins anew");
}
