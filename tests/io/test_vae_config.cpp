#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "../folder.hpp"
#include "io/model/vae_config.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

const std::string blocks = R"("block_out_channels": [8, 8, 8, 8])";

Space space_of(const std::string& members) {
  const TemporaryFolder folder;
  std::ofstream(folder / "config.json") << "{" << blocks << (members.empty() ? "" : ", ") << members << "}";
  return read_vae_config(folder.path()).space;
}

std::string refusal(const std::string& document) {
  const TemporaryFolder folder;
  std::ofstream(folder / "config.json") << document;
  try {
    read_vae_config(folder.path());
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::model);
    return error.what();
  }
  return "";
}

std::filesystem::path bundled_model(const std::string& name) { return lapis::test::models() / name; }

}  // namespace

TEST_CASE("the bundled models' VAEs have the numbers of their families") {
  CHECK(read_vae_config(bundled_model("tiny-sd15") / "vae").space == Space{"", 4, 8, 0.18215, 0, ""});
  CHECK(read_vae_config(bundled_model("tiny-sdxl")).space == Space{"", 4, 8, 0.13025, 0, ""});
}

TEST_CASE("what a config leaves out is SD1's, and null is left out") {
  CHECK(space_of("") == Space{"", 4, 8, 0.18215, 0, ""});
  CHECK(space_of(R"("shift_factor": null, "latents_mean": null)") == Space{"", 4, 8, 0.18215, 0, ""});
  CHECK(space_of(R"("latent_channels": 16, "scaling_factor": 0.3611, "shift_factor": 0.1159)") ==
        Space{"", 16, 8, 0.3611, 0.1159, ""});
  const Space playground =
      space_of(R"("scaling_factor": 0.5, "latents_mean": [1, 2, 3, 4], "latents_std": [5, 6, 7, 8])");
  CHECK(playground.mean == std::vector<double>{1, 2, 3, 4});
  CHECK(playground.deviation == std::vector<double>{5, 6, 7, 8});
}

TEST_CASE("a config that is none is refused with its place") {
  CHECK_THAT(refusal("{"), Catch::Contains("config.json"));
  CHECK_THAT(refusal("[]"), Catch::Contains("is no object"));
  CHECK_THAT(refusal("{}"), Catch::Contains("block_out_channels"));
  CHECK_THAT(refusal(R"({"_class_name": "AutoencoderDC"})"), Catch::Contains("AutoencoderDC"));
  CHECK_THAT(refusal("{" + blocks + R"(, "scaling_factor": 0})"), Catch::Contains("scaling_factor"));
  CHECK_THAT(refusal("{" + blocks + R"(, "latent_channels": 2.5})"), Catch::Contains("latent_channels"));
  CHECK_THAT(refusal("{" + blocks + R"(, "latents_mean": [1, 2]})"), Catch::Contains("2 numbers for 4 channels"));
  CHECK_THAT(refusal("{" + blocks + R"(, "latents_mean": [1, 2, 3, 4]})"), Catch::Contains("latents_std"));
  CHECK_THAT(refusal(R"({"block_out_channels": []})"), Catch::Contains("0 blocks"));
  const TemporaryFolder empty;
  CHECK_THROWS_WITH(read_vae_config(empty.path()), Catch::Contains("neither a model.json"));
}

TEST_CASE("a model's config lies beside its weights, and another kind of config is passed over") {
  const TemporaryFolder folder;
  Model model;
  CHECK_FALSE(vae_config_of(model).has_value());
  model.parts["vae_decoder"].weights = {folder / "weights.safetensors"};
  CHECK_FALSE(vae_config_of(model).has_value());
  std::ofstream(folder / "config.json") << R"({"model_type": "clip"})";
  CHECK_FALSE(vae_config_of(model).has_value());
  std::ofstream(folder / "config.json") << R"({"_class_name": "AutoencoderKL", "scaling_factor": 0.5, )" << blocks
                                        << "}";
  REQUIRE(vae_config_of(model).has_value());
  CHECK(vae_config_of(model)->space.scale == 0.5);
  CHECK(vae_config_of(model)->file == folder / "config.json");
}
