#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "../folder.hpp"
#include "core/family/spaces.hpp"
#include "io/latent/latent_file.hpp"
#include "lapis/error.hpp"
#include "pipeline/model_catalog.hpp"

using namespace lapis;
using pipeline::ModelCatalog;

TEST_CASE("a model is read once, by whatever name or path") {
  ModelCatalog catalog;
  const Model& by_name = catalog.open("tiny-sd15");
  const Model& by_path = catalog.open((test::models() / "tiny-sd15").string());
  CHECK(&by_name == &by_path);
  CHECK(by_name.name == "tiny-sd15");
}

TEST_CASE("a folder that holds no model is refused each time it is asked for") {
  ModelCatalog catalog;
  const std::string folder = (test::models() / "graphs").string();
  CHECK_THROWS_AS(catalog.open(folder), Error);
  CHECK_THROWS_AS(catalog.open(folder), Error);
}

TEST_CASE("a folder that was broken is a model once it is mended") {
  const test::TemporaryFolder scratch;
  const std::filesystem::path folder = scratch / "mended";
  std::filesystem::copy(test::models() / "tiny-sd15", folder, std::filesystem::copy_options::recursive);
  std::filesystem::rename(folder / "model.json", folder / "away.json");
  ModelCatalog catalog;
  CHECK_THROWS_AS(catalog.open(folder), Error);
  std::filesystem::rename(folder / "away.json", folder / "model.json");
  CHECK(&catalog.open(folder) == &catalog.open(folder));
}

TEST_CASE("a latent's decoder is the model of its space, lineage and digest") {
  ModelCatalog catalog;
  for (const char* name : {"tiny-sd15", "tiny-sdxl", "tiny-flux"}) {
    CAPTURE(name);
    const Model& model = catalog.open(name);
    Passport passport;
    passport.space = model.space;
    CHECK(catalog.decoder_of(passport) == &model);
    passport.vae_sha256 = io::vae_digest(model);
    CHECK(catalog.decoder_of(passport) == &model);
    passport.vae_sha256 = std::string(64, '0');
    CHECK(catalog.decoder_of(passport) == nullptr);
    passport.vae_sha256.clear();
    passport.space.lineage = "another training";
    CHECK(catalog.decoder_of(passport) == nullptr);
  }
}

TEST_CASE("a space's encoder is a model that lives in it, and there is none for one that nobody lives in") {
  ModelCatalog catalog;
  const Model& model = catalog.open("tiny-sdxl");
  CHECK(catalog.encoder_of(model.space) == &model);
  Space space = model.space;
  space.lineage = "another training";
  CHECK(catalog.encoder_of(space) == nullptr);
}

TEST_CASE("weights are owned by the model that has the very file, or one with the same bytes") {
  ModelCatalog catalog;
  const Model& model = catalog.open("tiny-flux");
  const std::filesystem::path weights = model.parts.at("vae_decoder").weights.front();
  CHECK(catalog.owner_of_weights(weights) == &model);
  CHECK(catalog.owner_of_weights("no-such-file") == nullptr);
  const auto owner = catalog.vae_owner(weights);
  REQUIRE(owner);
  CHECK(owner->name == "the VAE of model tiny-flux");
  CHECK(owner->space == model.space);
  CHECK_FALSE(catalog.vae_owner("no-such-file"));
}

TEST_CASE("a space is named by its id, with a lineage, or by a model that lives in it") {
  ModelCatalog catalog;
  CHECK(catalog.space_named("sdxl", "it") == core::find_space("sdxl")->space);
  CHECK(catalog.space_named("sd15:mine", "it").lineage == "mine");
  CHECK(catalog.space_named("tiny-flux", "it") == catalog.open("tiny-flux").space);
  CHECK_THROWS_WITH(catalog.space_named("tiny-fluxx", "it"),
                    Catch::StartsWith("it is \"tiny-fluxx\", which is no space and no known model."));
}
