#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "lapis/error.hpp"
#include "pipeline/render.hpp"

using namespace lapis;
using namespace lapis::pipeline;

namespace {

/// A request for a prompt, with a seed.
RenderAsked asked_for(const std::string& prompt, const std::string& model = "") {
  RenderAsked asked;
  asked.asked.job.prompt = prompt;
  asked.asked.job.model = model;
  asked.asked.job.seed = 7;
  asked.asked.named = {"prompt", "seed"};
  return asked;
}

}  // namespace

TEST_CASE("a plan decides the job from the model's defaults, and reads no tensor") {
  ModelCatalog catalog;
  const RenderPlan plan = plan_render(asked_for("a red house"), catalog, 1);
  CHECK(plan.model == &catalog.open("tiny-sd15"));
  CHECK(plan.job.seed == 7);
  CHECK(plan.job.width == plan.model->defaults.width);
  CHECK(plan.job.steps == plan.model->defaults.steps);
  CHECK_FALSE(plan.latent);
  CHECK_FALSE(plan.picture);
  CHECK_FALSE(plan.stage);
  CHECK(plan.routes().empty());
}

TEST_CASE("a seed that nobody asked for is made of the upper half of the random number") {
  ModelCatalog catalog;
  RenderAsked asked = asked_for("a red house");
  asked.asked.job.seed.reset();
  CHECK(plan_render(asked, catalog, std::uint64_t{42} << 32).job.seed == 42);
}

TEST_CASE("a second model's plan has its own job, and the way to it") {
  ModelCatalog catalog;
  RenderAsked asked = asked_for("a red house", "tiny-sd15");
  asked.asked.job.then = "tiny-sdxl:0.5";
  const RenderPlan plan = plan_render(std::move(asked), catalog, 1);
  REQUIRE(plan.stage);
  CHECK(plan.job.then == "tiny-sdxl:0.5");
  CHECK(plan.stage->model->name == "tiny-sdxl");
  CHECK(plan.stage->job.strength == 0.5);
  CHECK(plan.stage->handoff.transcodes());
  REQUIRE(plan.routes().size() == 1);
  CHECK(plan.routes().front().destination == "tiny-sdxl");
}

TEST_CASE("what makes no sense is refused by the plan") {
  ModelCatalog catalog;
  RenderAsked size = asked_for("a red house");
  size.asked.job.width = 7;
  CHECK_THROWS_AS(plan_render(size, catalog, 1), Error);
  CHECK_THROWS_AS(plan_render(asked_for("a red house", "no-such-model"), catalog, 1), Error);
}

TEST_CASE("a prepared request holds tokens and a schedule, and says what is odd, each once") {
  ModelCatalog catalog;
  std::vector<std::string> notes;
  std::vector<std::string> warnings;
  Events events;
  events.note = [&](const std::string& text) { notes.push_back(text); };
  events.warning = [&](const std::string& text) { warnings.push_back(text); };
  const PreparedRender prepared = prepare_render(plan_render(asked_for(""), catalog, 1), nullptr, events);
  CHECK(prepared.plan.model->name == "tiny-sd15");
  CHECK(prepared.request.prompt.contains("tokenizer"));
  CHECK(prepared.request.decodes);
  CHECK(prepared.request.schedule.sigmas.size() == static_cast<std::size_t>(prepared.plan.job.steps) + 1);
  REQUIRE(notes.size() == 1);
  CHECK(notes.front() == "the prompt is empty: nothing guides the picture");
  CHECK(prepared.notes == notes);
  CHECK(warnings.empty());
}

TEST_CASE("where latents are all that is wanted nothing is decoded") {
  ModelCatalog catalog;
  RenderAsked asked = asked_for("a red house");
  asked.pictures = false;
  CHECK_FALSE(prepare_render(plan_render(std::move(asked), catalog, 1), nullptr, {}).request.decodes);
}
