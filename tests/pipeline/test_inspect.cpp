#include <catch2/catch.hpp>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "../io/support.hpp"
#include "io/latent/latent_formats.hpp"
#include "lapis/error.hpp"
#include "latents.hpp"
#include "picture_file.hpp"
#include "pipeline/inspect.hpp"
#include "recording_engine.hpp"

using namespace lapis;
using namespace lapis::pipeline;

namespace {

struct Desk {
  ModelCatalog catalog;
  test::RecordingEngine engine;
  EngineDoor door{engine};

  Inspected inspect(InspectAsked asked) { return pipeline::inspect(std::move(asked), catalog, door, {}); }

  /// The file of latents that tiny-sd15 could have made.
  std::string latent_file(const io::test::TemporaryFolder& folder, std::int64_t pictures) {
    const NamedLatent latent = test::latent_of(catalog.open("tiny-sd15"), pictures, 1);
    std::string file = (folder / "a.safetensors").string();
    io::test::write_text(file, io::test::as_text(io::write_latent(latent.latent.document, io::LatentFormat::lapis)));
    return file;
  }
};

InspectAsked asked_of(const std::string& target) {
  InspectAsked asked;
  asked.target = target;
  return asked;
}

}  // namespace

TEST_CASE("a name is a model, whose files are compared where that is asked for") {
  Desk desk;
  InspectAsked asked = asked_of("tiny-sd15");
  CHECK(std::get<InspectedModel>(desk.inspect(asked)).verified.empty());
  asked.verify = true;
  const Inspected found = desk.inspect(asked);
  CHECK(std::get<InspectedModel>(found).model.name == "tiny-sd15");
  CHECK(std::get<InspectedModel>(found).verified == "every file has the recorded sha256");
}

TEST_CASE("a prompt becomes tokens in the syntax that is asked for") {
  Desk desk;
  InspectAsked asked = asked_of("tiny-sd15");
  asked.tokens = "a (house:1.5)";
  asked.prompt_syntax = "a1111";
  const InspectedTokens found = std::get<InspectedTokens>(desk.inspect(asked));
  CHECK(found.syntax == PromptSyntax::a1111);
  CHECK(found.prompts.prompt.at("tokenizer").chunks.front().weights[2] == Approx(1.5));
  asked.tokens = "\xff";
  CHECK_THROWS_WITH(desk.inspect(asked), "tokens: the text is not UTF-8");
}

TEST_CASE("of the words beside one another the model is measured, wherever it stands, as is asked") {
  Desk desk;
  const test::PictureFile picture("lapis-inspect.ppm", 96, 64);
  InspectAsked asked = asked_of(picture.path());
  asked.pictures = {"tiny-sd15"};
  CHECK_THROWS_WITH(desk.inspect(asked), Catch::Contains("shows one thing"));
  asked.measure = true;
  asked.compute.tiling = "on";
  asked.compute.named = {"vae_tiling"};
  const InspectedDrift found = std::get<InspectedDrift>(desk.inspect(asked));
  CHECK(found.model.name == "tiny-sd15");
  CHECK(found.drifts.front().picture == picture.path());
}

TEST_CASE("how networks run is refused where none runs") {
  Desk desk;
  InspectAsked asked = asked_of("tiny-sd15");
  asked.compute.named = {"threads"};
  CHECK_THROWS_WITH(desk.inspect(asked), "threads is for measure of a model, which runs its VAE. Leave it out");
  asked.measure = true;
  asked.tokens = "a house";
  CHECK_THROWS_AS(desk.inspect(asked), Error);
  const io::test::TemporaryFolder folder;
  asked.target = desk.latent_file(folder, 1);
  asked.tokens.reset();
  CHECK_THROWS_AS(desk.inspect(asked), Error);
}

TEST_CASE("what is said of something else than what is found is refused") {
  Desk desk;
  InspectAsked asked = asked_of("tiny-sd15");
  asked.embeddings = {"style.safetensors"};
  CHECK_THROWS_WITH(desk.inspect(asked), "embedding is for tokens, which shows how a prompt is read. Leave it out");
  asked.prompt_syntax = "comfy";
  CHECK_THROWS_WITH(desk.inspect(asked), Catch::StartsWith("prompt_syntax is for tokens"));
  asked = asked_of("tiny-sd15");
  asked.tokens = "a house";
  asked.measure = true;
  CHECK_THROWS_WITH(desk.inspect(asked), "tokens and measure show two things. Leave one of them out");
  asked = asked_of("tiny-sd15");
  asked.hints.units = "vae";
  CHECK_THROWS_WITH(desk.inspect(asked),
                    "units says of a latent what its file does not, and tiny-sd15 names a model. Leave it out");
  const test::PictureFile file("lapis-inspect.ppm", 96, 64);
  asked.target = file.path();
  CHECK_THROWS_WITH(desk.inspect(asked), Catch::Contains("is a PNM. Leave it out"));
}

TEST_CASE("a file is a picture or a latent by its bytes, and what is for the other is refused") {
  Desk desk;
  const test::PictureFile file("lapis-inspect.ppm", 96, 64);
  InspectAsked asked = asked_of(file.path());
  const InspectedPicture picture = std::get<InspectedPicture>(desk.inspect(asked));
  CHECK(picture.format == "PNM");
  CHECK(picture.facts.width == 96);
  asked.preview = true;
  CHECK_THROWS_WITH(desk.inspect(asked), Catch::Contains("is for latents"));
  asked.target = "tiny-sd15";
  CHECK_THROWS_WITH(desk.inspect(asked), "preview is for latents; tiny-sd15 names a model");
  asked.preview = false;
  asked.verify = true;
  asked.target = file.path();
  CHECK_THROWS_WITH(desk.inspect(asked), Catch::Contains("are for model folders"));
}

TEST_CASE("a latent says what it is, and shows a pixel for each cell") {
  Desk desk;
  const io::test::TemporaryFolder folder;
  InspectAsked asked = asked_of(desk.latent_file(folder, 2));
  const InspectedLatent plain = std::get<InspectedLatent>(desk.inspect(asked));
  CHECK(plain.facts.passport.shape[0] == 2);
  CHECK(plain.facts.statistics.channels.front().mean == Approx(1));
  CHECK(plain.preview.empty());
  asked.preview = true;
  const InspectedLatent shown = std::get<InspectedLatent>(desk.inspect(asked));
  REQUIRE(shown.preview.size() == 2);
  CHECK(shown.preview.front().width == static_cast<int>(shown.facts.passport.shape[3]));
}
