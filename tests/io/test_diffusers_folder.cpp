#include <catch2/catch.hpp>
#include <string>

#include "io/diffusers_folder.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

std::vector<std::string> names(const std::vector<std::filesystem::path>& files) {
  std::vector<std::string> result;
  for (const auto& file : files) result.push_back(file.filename());
  return result;
}

}  // namespace

TEST_CASE("weights are one file, the shards of an index, or a half-precision variant") {
  const TemporaryFolder folder;
  CHECK(component_weights(folder.path(), "unet").empty());
  write_text(folder / "unet/diffusion_pytorch_model.fp16.safetensors", "");
  CHECK(names(component_weights(folder.path(), "unet")) ==
        std::vector<std::string>{"diffusion_pytorch_model.fp16.safetensors"});
  write_text(folder / "unet/diffusion_pytorch_model.safetensors", "");
  CHECK(names(component_weights(folder.path(), "unet")) ==
        std::vector<std::string>{"diffusion_pytorch_model.safetensors"});
  write_text(folder / "text_encoder_2/model.safetensors.index.json",
             R"({"metadata": {}, "weight_map": {"a": "model-2.safetensors", "b": "model-1.safetensors"}})");
  write_text(folder / "text_encoder_2/model-1.safetensors", "");
  CHECK_THROWS_WITH(component_weights(folder.path(), "text_encoder_2"), Catch::Contains("model-2.safetensors"));
  write_text(folder / "text_encoder_2/model-2.safetensors", "");
  CHECK(names(component_weights(folder.path(), "text_encoder_2")) ==
        std::vector<std::string>{"model-1.safetensors", "model-2.safetensors"});
}

TEST_CASE("an index that leads out of its folder and a pickle are refused") {
  const TemporaryFolder folder;
  write_text(folder / "unet/diffusion_pytorch_model.safetensors.index.json",
             R"({"weight_map": {"a": "../../etc/passwd"}})");
  CHECK_THROWS_WITH(component_weights(folder.path(), "unet"), Catch::Contains("leads out of its folder"));
  write_text(folder / "vae/diffusion_pytorch_model.bin", "");
  CHECK_THROWS_WITH(component_weights(folder.path(), "vae"), Catch::Contains("pickle"));
}
