#include <catch2/catch.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "core/family/spaces.hpp"
#include "core/latent/units.hpp"
#include "lapis/error.hpp"
#include "latents.hpp"
#include "pipeline/model_catalog.hpp"
#include "pipeline/preview.hpp"

using namespace lapis;
using namespace lapis::pipeline;

TEST_CASE("a preview has the size of the picture") {
  ModelCatalog catalog;
  const Model& model = catalog.open("tiny-sd15");
  const core::LineageRow& colours = preview_colours("a.safetensors", model.space);
  const Latent latent = preview_latent(test::latent_of(model, 2, 1).latent.document, colours);
  const Image picture = preview_picture(latent, 1, colours, {64, 48});
  CHECK(picture.width == 64);
  CHECK(picture.height == 48);
}

TEST_CASE("a latent is shown in the units that the colours are for") {
  ModelCatalog catalog;
  const Model& model = catalog.open("tiny-sd15");
  io::LatentDocument document = test::latent_of(model, 1, 1).latent.document;
  document.passport.units = Units::vae;
  const Latent latent = preview_latent(document, preview_colours("a.safetensors", model.space));
  CHECK(latent.values.front() == Approx(0.18215));
}

TEST_CASE("a latent of the same VAE's values by other numbers is shown by the same colours") {
  io::LatentDocument document;
  document.passport.space = core::parse_space("playground25");
  document.passport.shape = {1, 4, 1, 1};
  document.values = {1, 2, 3, 4};
  const Latent latent = preview_latent(document, preview_colours("a.safetensors", document.passport.space));
  CHECK(latent.space != document.passport.space);
  std::vector<float> raw = document.values;
  core::to_vae_units(raw, document.passport.shape, document.passport.space);
  std::vector<float> shown = latent.values;
  core::to_vae_units(shown, latent.shape, latent.space);
  for (std::size_t i = 0; i < raw.size(); ++i) CHECK(shown[i] == Approx(raw[i]));
}

TEST_CASE("without known colours there is no preview") {
  ModelCatalog catalog;
  Space space = catalog.open("tiny-sd15").space;
  CHECK_NOTHROW(preview_colours("a.safetensors", space));
  space.id = "nowhere";
  space.lineage = "nobody's";
  CHECK_THROWS_WITH(preview_colours("a.safetensors", space),
                    Catch::Contains("no colours of its channels are known") && Catch::EndsWith("without preview"));
}
