#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "lapis/error.hpp"
#include "latents.hpp"
#include "pipeline/decode.hpp"
#include "recording_engine.hpp"

using namespace lapis;
using namespace lapis::pipeline;

TEST_CASE("a latent is decoded by the known model of its space, picture by picture") {
  ModelCatalog catalog;
  const Model& model = catalog.open("tiny-sdxl");
  const DecodePlan plan = plan_decode({test::latent_of(model, 2), "", "", false, "auto"}, catalog);
  CHECK(plan.model == &model);
  CHECK_FALSE(plan.forced);
  CHECK(plan.batch() == 2);
  test::RecordingEngine engine;
  engine.expected_tiling = "auto";
  EngineDoor door(engine);
  std::vector<int> indices;
  decode(plan, door, {}, [&](const DecodedPicture& picture) {
    indices.push_back(picture.decoding.index);
    CHECK(picture.image.width == 64);
    CHECK(picture.image.rgb.front() == 100);
    CHECK(picture.decoding.vae == "tiny-sdxl");
  });
  CHECK(indices == std::vector<int>{0, 1});
  CHECK(engine.calls == std::vector<std::string>(2, "decode by tiny-sdxl"));
}

TEST_CASE("the VAE of another space is refused, and forced only where the channels fit") {
  ModelCatalog catalog;
  const NamedLatent latent = test::latent_of(catalog.open("tiny-sd15"));
  const auto plan = [&](const std::string& model, bool force) {
    return plan_decode({latent, "a.safetensors", model, force, "auto"}, catalog);
  };
  CHECK_THROWS_AS(plan("tiny-sdxl", false), Error);
  CHECK_THROWS_WITH(plan("tiny-flux", true), Catch::Contains("4 channels cannot even be forced through a VAE of 16"));
  const DecodePlan forced = plan("tiny-sdxl", true);
  CHECK(forced.forced);
  REQUIRE(forced.notes.size() == 1);
  CHECK_THAT(forced.notes.front(), Catch::Contains("forced through the VAE of sdxl:tiny-sdxl"));
}

TEST_CASE("a latent whose VAE nobody has is refused with what would help") {
  ModelCatalog catalog;
  NamedLatent latent = test::latent_of(catalog.open("tiny-sd15"));
  latent.latent.document.passport.space.lineage = "another training";
  CHECK_THROWS_WITH(
      plan_decode({std::move(latent), "a.safetensors", "", false, "auto"}, catalog),
      Catch::Contains("no known model has its VAE") && Catch::Contains("decode a.safetensors model MODEL"));
}

TEST_CASE("a preview needs no model, and tells of noise that shows") {
  ModelCatalog catalog;
  NamedLatent latent = test::latent_of(catalog.open("tiny-sd15"), 2);
  latent.latent.document.passport.sigma = 0.5;
  DecodePlan plan = plan_decode({std::move(latent), "", "", false, "auto", true}, catalog);
  CHECK(plan.model == nullptr);
  REQUIRE(plan.notes.size() == 1);
  CHECK_THAT(plan.notes.front(), Catch::Contains("its noise shows in the preview"));
  plan.wanted = {1};
  test::RecordingEngine engine;
  EngineDoor door(engine);
  std::vector<int> indices;
  decode(plan, door, {}, [&](const DecodedPicture& picture) {
    indices.push_back(picture.decoding.index);
    CHECK(picture.image.width == 64);
    CHECK(picture.decoding.vae.empty());
  });
  CHECK(indices == std::vector<int>{1});
  CHECK(engine.calls.empty());
}

TEST_CASE("tiling is what the latent records, unless something else is asked") {
  Passport passport;
  passport.job = R"({"job": {"vae_tiling": "on"}})";
  CHECK(tiling_of(passport, "auto") == "on");
  CHECK(tiling_of(passport, "off") == "off");
  CHECK(tiling_of({}, "auto") == "auto");
}
