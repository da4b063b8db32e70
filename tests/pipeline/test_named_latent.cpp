#include <catch2/catch.hpp>

#include "../io/support.hpp"
#include "core/family/spaces.hpp"
#include "pipeline/named_latent.hpp"

using namespace lapis;
using namespace lapis::pipeline;

TEST_CASE("a latent keeps the name of its file, and what was said of it") {
  const std::string file = io::test::data_file("latents/comfy.latent").string();
  io::LatentHints hints;
  hints.space = core::parse_space("sd15:mine");
  const NamedLatent latent = named_latent(io::LatentSource(file), hints);
  CHECK(latent.name == file);
  CHECK(latent.passport().space.lineage == "mine");
  CHECK(latent.passport().units == Units::vae);
}

TEST_CASE("what says no space, and what is no latent, is refused by its name") {
  const std::string file = io::test::data_file("latents/comfy.latent").string();
  io::test::check_fails(ErrorKind::usage, {file}, [&] { named_latent(io::LatentSource(file), {}); });
  const std::string picture = io::test::data_file("pictures/rgb.png").string();
  io::test::check_fails(ErrorKind::input, {picture}, [&] { named_latent(io::LatentSource(picture), {}); });
}
