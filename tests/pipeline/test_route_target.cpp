#include <catch2/catch.hpp>
#include <string>

#include "io/latent/latent_file.hpp"
#include "pipeline/model_catalog.hpp"
#include "pipeline/route_target.hpp"

using namespace lapis;
using namespace lapis::pipeline;

TEST_CASE("a model wants latents of its space, its VAE, its path and its sizes") {
  ModelCatalog catalog;
  const Model& model = catalog.open("tiny-flux");
  const core::RouteTarget target = route_target(model);
  CHECK(target.name == "tiny-flux");
  CHECK(target.space == model.space);
  CHECK(target.size_multiple == 16);
  CHECK(target.path == Path::flow);
  CHECK(target.has_vae(io::vae_digest(model)));
  CHECK_FALSE(target.has_vae(std::string(64, '0')));
  CHECK_FALSE(target.resumes);
}

TEST_CASE("its VAE alone takes any count of cells, and is the same otherwise") {
  ModelCatalog catalog;
  const Model& model = catalog.open("tiny-flux");
  const core::RouteTarget target = decoder_target(model);
  CHECK(target.size_multiple == 1);
  CHECK(target.vae_sha256 == route_target(model).vae_sha256);
}

TEST_CASE("halves of VAEs are those of two models, as far as they are known") {
  ModelCatalog catalog;
  const Model& whole = catalog.open("tiny-sd15");
  Model half = whole;
  half.parts.erase("vae_encoder");
  CHECK(available(&half, &whole).own_decoder);
  CHECK(available(&half, &whole).target_encoder);
  CHECK_FALSE(available(nullptr, &half).own_decoder);
  CHECK_FALSE(available(nullptr, &half).target_encoder);
  CHECK_FALSE(available(&whole, nullptr).target_encoder);
}
