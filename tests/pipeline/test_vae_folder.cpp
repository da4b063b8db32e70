#include <catch2/catch.hpp>

#include "../folder.hpp"
#include "lapis/error.hpp"
#include "pipeline/vae_folder.hpp"

using namespace lapis;
using namespace lapis::pipeline;

TEST_CASE("a model's VAE is a target of the model's space that takes any count of cells") {
  ModelCatalog catalog;
  const VaeFolder vae = read_vae_folder("tiny-flux", catalog);
  CHECK(vae.target.space == catalog.open("tiny-flux").space);
  CHECK(vae.target.size_multiple == 1);
  CHECK_FALSE(contradiction(catalog.open("tiny-flux")));
}

TEST_CASE("a folder of diffusers has the lineage of the model whose weights lie in it") {
  ModelCatalog catalog;
  const VaeFolder vae = read_vae_folder((test::models() / "tiny-sdxl" / "vae").string(), catalog);
  CHECK(vae.target.space.lineage == "tiny-sdxl");
  REQUIRE(vae.finding);
}

TEST_CASE("what is neither is refused") {
  ModelCatalog catalog;
  CHECK_THROWS_AS(read_vae_folder((test::models() / "graphs").string(), catalog), Error);
}
