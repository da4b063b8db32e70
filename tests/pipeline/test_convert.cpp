#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "lapis/error.hpp"
#include "latents.hpp"
#include "pipeline/convert.hpp"
#include "recording_engine.hpp"

using namespace lapis;
using namespace lapis::pipeline;

namespace {

ConvertAsked asked_for(const Model& model, const std::string& to) {
  ConvertAsked asked;
  asked.latent = test::latent_of(model);
  asked.path = "a.safetensors";
  asked.to = to;
  return asked;
}

}  // namespace

TEST_CASE("into another model's space a latent is decoded by its own VAE and encoded by the other's") {
  ModelCatalog catalog;
  const Model& own = catalog.open("tiny-sd15");
  const Model& target = catalog.open("tiny-flux");
  ConvertAsked asked = asked_for(own, "tiny-flux");
  asked.compensate = false;
  const ConvertPlan plan = plan_convert(std::move(asked), catalog);
  CHECK(plan.transcodes());
  CHECK(plan.own == &own);
  CHECK(plan.target == &target);
  test::RecordingEngine engine;
  engine.expected_tiling = "auto";
  EngineDoor door(engine);
  std::vector<std::string> notes;
  Events events;
  events.note = [&](const std::string& text) { notes.push_back(text); };
  const Converted converted = convert(plan, door, events);
  CHECK(engine.calls == std::vector<std::string>{"decode by tiny-sd15", "encode by tiny-flux", "decode by tiny-flux"});
  CHECK(converted.document.passport.space == target.space);
  CHECK(converted.document.passport.history.size() == 1);
  CHECK(converted.measured.psnr);
  REQUIRE(notes.size() == 1);
  CHECK_THAT(notes.front(), Catch::Contains("sd15:tiny-sd15 -> flux:tiny-flux"));
}

TEST_CASE("other units and another dtype need no VAE") {
  ModelCatalog catalog;
  ConvertAsked asked = asked_for(catalog.open("tiny-sd15"), "");
  asked.units = Units::vae;
  asked.dtype = LatentDtype::f16;
  const ConvertPlan plan = plan_convert(std::move(asked), catalog);
  CHECK_FALSE(plan.transcodes());
  test::RecordingEngine engine;
  EngineDoor door(engine);
  const Converted converted = convert(plan, door, {});
  CHECK(engine.calls.empty());
  CHECK(converted.document.passport.units == Units::vae);
  CHECK(converted.document.passport.dtype == LatentDtype::f16);
  CHECK(converted.document.values.front() == Approx(100 / 0.18215).epsilon(1e-6));
}

TEST_CASE("what would take a decode and an encode is refused where it may not be done") {
  ModelCatalog catalog;
  ConvertAsked asked = asked_for(catalog.open("tiny-sd15"), "tiny-sdxl");
  asked.may_convert = false;
  CHECK_THROWS_AS(plan_convert(std::move(asked), catalog), Error);
}

TEST_CASE("units that a format cannot hold are refused") {
  ModelCatalog catalog;
  ConvertAsked asked = asked_for(catalog.open("tiny-sd15"), "");
  asked.format = io::LatentFormat::comfy;
  asked.units = Units::model;
  CHECK_THROWS_WITH(plan_convert(std::move(asked), catalog),
                    Catch::Contains("is not what format comfy holds: vae units"));
}

TEST_CASE("words say what a latent becomes, and something has to be said") {
  ConvertWords words;
  words.latent = "a.safetensors";
  CHECK_THROWS_WITH(convert_asked(words), Catch::Contains("nothing says what the latent becomes"));
  words.output = "a.latent";
  words.units = "vae";
  words.dtype = "f16";
  words.size = "64x96";
  const ConvertAsked asked = convert_asked(words);
  CHECK(asked.path == "a.safetensors");
  CHECK(asked.format == io::LatentFormat::comfy);
  CHECK(asked.units == Units::vae);
  CHECK(asked.dtype == LatentDtype::f16);
  CHECK(asked.size == PixelSize{64, 96});
  words.dtype = "f8";
  CHECK_THROWS_WITH(convert_asked(words), Catch::Contains("dtype is \"f8\""));
}
