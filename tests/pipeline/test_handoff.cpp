#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <vector>

#include "lapis/error.hpp"
#include "latents.hpp"
#include "pipeline/handoff.hpp"
#include "recording_engine.hpp"

using namespace lapis;
using namespace lapis::pipeline;

namespace {

core::RouteSource source_of(const NamedLatent& latent) { return {latent.name, latent.passport()}; }

}  // namespace

TEST_CASE("a latent that stays in its space is handed over as it is, without any VAE") {
  ModelCatalog catalog;
  const Model& model = catalog.open("tiny-sd15");
  const NamedLatent latent = test::latent_of(model);
  const HandoffPlan plan = plan_handoff(source_of(latent), nullptr, model, std::nullopt, {}, catalog);
  CHECK_FALSE(plan.transcodes());
  CHECK(plan.own == nullptr);
  CHECK(plan.arriving.shape == latent.passport().shape);
  CHECK_NOTHROW(verify(plan));
  test::RecordingEngine engine;
  std::vector<std::string> notes;
  Events events;
  events.note = [&](const std::string& text) { notes.push_back(text); };
  const Transcoded carried = carry(plan, latent.latent.document, "auto", engine, events);
  CHECK(engine.calls.empty());
  CHECK(notes.empty());
  CHECK(carried.document.values == latent.latent.document.values);
}

TEST_CASE("into another space it goes through its picture, at the size that is asked") {
  ModelCatalog catalog;
  const Model& own = catalog.open("tiny-sd15");
  const Model& target = catalog.open("tiny-flux");
  const NamedLatent latent = test::latent_of(own);
  const HandoffPlan plan =
      plan_handoff(source_of(latent), nullptr, target, PixelSize{128, 96}, {.compensate = false}, catalog);
  CHECK(plan.transcodes());
  CHECK(plan.own == &own);
  CHECK(plan.arriving.space == target.space);
  CHECK(plan.arriving.shape == std::array<std::int64_t, 4>{1, target.space.channels, 12, 16});
  CHECK(plan.checked().latent == "a.safetensors");
  CHECK(plan.checked().destination == "tiny-flux");
  test::RecordingEngine engine;
  std::vector<std::string> notes;
  Events events;
  events.note = [&](const std::string& text) { notes.push_back(text); };
  const Transcoded carried = carry(plan, latent.latent.document, "on", engine, events);
  CHECK(engine.calls == std::vector<std::string>{"decode by tiny-sd15", "encode by tiny-flux"});
  CHECK(carried.document.passport.shape == plan.arriving.shape);
  CHECK(carried.timings.of(PartKind::vae_decoder) == 1);
  REQUIRE(notes.size() == 1);
  CHECK_THAT(notes.front(), Catch::StartsWith("a.safetensors: sd15:tiny-sd15 -> flux:tiny-flux"));
}

TEST_CASE("pictures that are there are not decoded once more") {
  ModelCatalog catalog;
  const Model& own = catalog.open("tiny-sd15");
  const NamedLatent latent = test::latent_of(own);
  const HandoffPlan plan = plan_handoff(source_of(latent), &own, catalog.open("tiny-sdxl"), std::nullopt, {}, catalog);
  test::RecordingEngine engine;
  carry(plan, {test::RecordingEngine::grey(64, 64, 9)}, latent.passport(), "on", engine, {});
  CHECK(engine.calls.front() == "encode by tiny-sdxl");
}

TEST_CASE("what a model cannot go on with is refused by the plan") {
  ModelCatalog catalog;
  const Model& target = catalog.open("tiny-sdxl");
  NamedLatent latent = test::latent_of(catalog.open("tiny-sd15"));
  CHECK_THROWS_AS(plan_handoff(source_of(latent), nullptr, target, std::nullopt, {.may_convert = false}, catalog),
                  Error);
  core::RouteSource unknown = source_of(latent);
  unknown.passport.space.lineage = "another training";
  CHECK_THROWS_WITH(plan_handoff(unknown, nullptr, target, std::nullopt, {}, catalog),
                    Catch::Contains("sd15:another training"));
}
