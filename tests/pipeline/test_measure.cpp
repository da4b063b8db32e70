#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/picture/patterns.hpp"
#include "lapis/error.hpp"
#include "picture_file.hpp"
#include "pipeline/measure.hpp"
#include "pipeline/model_catalog.hpp"
#include "recording_engine.hpp"

using namespace lapis;
using namespace lapis::pipeline;

TEST_CASE("pictures go through the VAE and back, and it is told how far they moved") {
  const test::PictureFile picture("lapis-measure.ppm", 96, 64);
  ModelCatalog catalog;
  test::RecordingEngine engine;
  engine.expected_tiling = "off";
  EngineDoor door(engine);
  const std::vector<io::Drift> drifts = measure(catalog.open("tiny-sd15"), {picture.path()}, "off", door, {});
  REQUIRE(drifts.size() == 1);
  CHECK(drifts.front().picture == picture.path());
  CHECK(drifts.front().size == PixelSize{96, 64});
  CHECK(drifts.front().shift[0] == Approx(-3));
  CHECK(drifts.front().psnr == Approx(38.588).epsilon(1e-4));
  CHECK(engine.calls == std::vector<std::string>{"encode by tiny-sd15", "decode by tiny-sd15"});
}

TEST_CASE("without pictures every pattern is drawn, at the model's own size, and named") {
  ModelCatalog catalog;
  test::RecordingEngine engine;
  engine.expected_tiling = "auto";
  EngineDoor door(engine);
  std::vector<std::string> notes;
  Events events;
  events.note = [&](const std::string& text) { notes.push_back(text); };
  const std::vector<io::Drift> drifts = measure(catalog.open("tiny-sd15"), {}, "auto", door, events);
  REQUIRE(drifts.size() == core::patterns().size());
  CHECK(notes.size() == drifts.size());
  CHECK(drifts.front().size == PixelSize{256, 256});
}

TEST_CASE("a model without both halves of a VAE is refused before anything is read") {
  ModelCatalog catalog;
  Model model = catalog.open("tiny-sd15");
  model.parts.erase("vae_encoder");
  test::RecordingEngine engine;
  EngineDoor door(engine);
  CHECK_THROWS_WITH(measure(model, {"no-such-file.png"}, "auto", door, {}),
                    "tiny-sd15 has no vae_encoder, so there is no way through its VAE and back");
}
