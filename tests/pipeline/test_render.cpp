#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/picture/png.hpp"
#include "lapis/error.hpp"
#include "latents.hpp"
#include "pipeline/render.hpp"
#include "recording_engine.hpp"

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

/// An engine whose pictures take two steps each and are of one colour.
class DrawingEngine final : public Engine {
 public:
  EngineOptions chosen() const override { return {"cpu", "fp32", 1}; }
  void ensure(const Model&, const std::vector<PartKind>&) override {}
  Decoded decode(const Model&, const Latent&, const std::string&, bool) override { return {}; }
  Encoded encode(const Model&, const Image&, const std::string&, std::optional<std::uint64_t>) override { return {}; }
  ProbeResult probe_part(const Part&, const std::string&, const std::vector<ProbeInput>&) override { return {}; }

  RenderEnd render(const Model& model, const RenderRequest& request, const StepCallback& on_step,
                   const PictureCallback& on_picture) override {
    int done = 0;
    for (const int index : request.pictures) {
      for (int step = 0; step < 2; ++step) {
        on_step(++done, 2 * static_cast<int>(request.pictures.size()));
        if (request.stop && request.stop()) return RenderEnd::stopped;
      }
      Rendered picture;
      picture.index = index;
      picture.seed = request.job.seed + static_cast<std::uint64_t>(index);
      picture.latent.space = model.space;
      picture.latent.shape = {1, 4, 1, 1};
      picture.latent.values.assign(4, 0);
      picture.image = {8, 8, std::vector<std::uint8_t>(std::size_t{3} * 8 * 8)};
      on_picture(picture);
    }
    return RenderEnd::finished;
  }
};

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

TEST_CASE("each picture is handed over whole, with its settings, and the latents of all come last") {
  ModelCatalog catalog;
  test::RecordingEngine engine;
  engine.draws = true;
  EngineDoor door(engine);
  RenderAsked asked = asked_for("a red house");
  asked.asked.job.batch = 2;
  std::vector<DrawnPicture> pictures;
  int steps = 0;
  Events events;
  events.step = [&](int, int) { ++steps; };
  const RenderResult result = render(prepare_render(plan_render(std::move(asked), catalog, 1), &door, events), door,
                                     events, [&](const DrawnPicture& picture) { pictures.push_back(picture); });
  CHECK(steps == 2);
  REQUIRE(pictures.size() == 2);
  CHECK(pictures[1].seed == 8);
  CHECK(pictures[1].size == PixelSize{256, 256});
  const std::vector<io::NamedText> texts = io::read_png_text(pictures[1].png, "a.png").texts;
  REQUIRE_FALSE(texts.empty());
  CHECK_THAT(texts.front().text, Catch::Contains("a red house") && Catch::Contains("Seed: 8"));
  CHECK(result.latents.passport.shape == std::array<std::int64_t, 4>{2, 4, 32, 32});
  CHECK_FALSE(result.latents.passport.vae_sha256.empty());
  CHECK(result.device == "cpu");
  CHECK(result.timings.parts.of(PartKind::denoiser) == 2);
}

TEST_CASE("a second model is given what the first one made, and its pictures are the result") {
  ModelCatalog catalog;
  test::RecordingEngine engine;
  engine.draws = true;
  engine.expected_tiling = "auto";
  EngineDoor door(engine);
  RenderAsked asked = asked_for("a red house", "tiny-sd15");
  asked.asked.job.then = "tiny-flux:0.5";
  std::vector<DrawnPicture> pictures;
  const RenderResult result = render(prepare_render(plan_render(std::move(asked), catalog, 1), &door, {}), door, {},
                                     [&](const DrawnPicture& picture) { pictures.push_back(picture); });
  CHECK(engine.calls.front() == "render by tiny-sd15");
  CHECK(engine.calls.back() == "render by tiny-flux");
  CHECK(std::ranges::count(engine.calls, "decode by tiny-sd15") == 0);
  REQUIRE(engine.requests.size() == 2);
  CHECK(engine.requests.back().latent->space == catalog.open("tiny-flux").space);
  REQUIRE(pictures.size() == 1);
  CHECK(pictures.front().history.size() == 1);
  CHECK(pictures.front().timings.parts.of(PartKind::denoiser) == 2);
  CHECK(result.latents.passport.space == catalog.open("tiny-flux").space);
}

TEST_CASE("a job that starts from a latent gives the engine that latent, and no picture where none is wanted") {
  ModelCatalog catalog;
  test::RecordingEngine engine;
  engine.draws = true;
  EngineDoor door(engine);
  RenderAsked asked = asked_for("a red house", "tiny-sd15");
  asked.asked.named.insert("model");
  asked.asked.job.strength = 0.5;
  asked.asked.job.init_latent = "a.safetensors";
  asked.pictures = false;
  asked.latent = LatentInput{test::latent_of(catalog.open("tiny-sd15"), 1, 3), std::string(64, 'c')};
  int pictures = 0;
  render(prepare_render(plan_render(std::move(asked), catalog, 1), &door, {}), door, {},
         [&](const DrawnPicture&) { ++pictures; });
  CHECK(pictures == 0);
  REQUIRE(engine.requests.size() == 1);
  CHECK_FALSE(engine.requests.front().decodes);
  CHECK(engine.requests.front().latent->values.front() == 3);
  CHECK(engine.requests.front().job.init_latent == "sha256:" + std::string(64, 'c'));
}

TEST_CASE("where latents are all that is wanted nothing is decoded") {
  ModelCatalog catalog;
  RenderAsked asked = asked_for("a red house");
  asked.pictures = false;
  CHECK_FALSE(prepare_render(plan_render(std::move(asked), catalog, 1), nullptr, {}).request.decodes);
}

TEST_CASE("what is wanted of a batch is drawn, until somebody stops it") {
  ModelCatalog catalog;
  for (const int last : {6, 4, 3, 1}) {
    CAPTURE(last);
    RenderAsked asked = asked_for("a red house");
    asked.asked.job.batch = 4;
    RenderPlan plan = plan_render(std::move(asked), catalog, 1);
    plan.wanted = {0, 1, 3};
    DrawingEngine engine;
    EngineDoor door(engine);
    int steps = 0;
    Events events;
    events.step = [&](int done, int) { steps = done; };
    if (last < 6) events.stop = [&] { return steps == last; };
    std::vector<std::uint64_t> seeds;
    const RenderResult result = render(prepare_render(std::move(plan), nullptr, events), door, events,
                                       [&](const DrawnPicture& picture) { seeds.push_back(picture.seed); });
    CHECK(steps == last);
    CHECK(result.end == (last < 6 ? RenderEnd::stopped : RenderEnd::finished));
    const std::vector<std::uint64_t> all = {7, 8, 10};
    CHECK(seeds == std::vector<std::uint64_t>(all.begin(), all.begin() + (last == 6 ? 3 : (last - 1) / 2)));
  }
}

TEST_CASE("what the VAE computes in is recorded where it was asked for") {
  ModelCatalog catalog;
  for (const char* asked_for_vae : {"", "auto", "bf16"}) {
    CAPTURE(asked_for_vae);
    RenderAsked asked = asked_for("a red house");
    if (*asked_for_vae != '\0') asked.asked.job.vae_dtype = asked_for_vae;
    const bool is_decided = std::string(asked_for_vae) == "bf16";
    CHECK(plan_render(std::move(asked), catalog, 1).job.vae_dtype.has_value() == is_decided);
  }
}
