#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <utility>

#include "io/checkpoint/diffusers_folder.hpp"
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

TEST_CASE("weights of another variant or framework alone are named") {
  const TemporaryFolder folder;
  for (const char* name :
       {"diffusion_pytorch_model.non_ema.safetensors", "diffusion_pytorch_model.non_ema-00001-of-00002.safetensors"}) {
    write_text(folder / "unet" / name, "");
    CHECK_THROWS_WITH(component_weights(folder.path(), "unet"),
                      Catch::Contains("of the variant \"non_ema\" alone: " + std::string(name)));
    std::filesystem::remove(folder / "unet" / name);
  }
  write_text(folder / "unet/diffusion_flax_model.msgpack", "");
  CHECK_THROWS_WITH(component_weights(folder.path(), "unet"), Catch::Contains("another framework"));
  write_text(folder / "unet/diffusion_pytorch_model.safetensors", "");
  CHECK(component_weights(folder.path(), "unet").size() == 1);
  CHECK(component_weights(folder.path(), "vae").empty());
}

TEST_CASE("a folder's pipeline is what its index says, where it says it") {
  const TemporaryFolder folder;
  CHECK(pipeline_class(folder.path()).empty());
  for (const auto& [text, name] : {std::pair("{", ""), std::pair("{}", ""), std::pair(R"({"_class_name": [1]})", ""),
                                   std::pair(R"({"_class_name": "FluxPipeline"})", "FluxPipeline")}) {
    write_text(folder / "model_index.json", text);
    CHECK(pipeline_class(folder.path()) == name);
  }
}

TEST_CASE("a component's configuration says how its weights are quantized") {
  const TemporaryFolder folder;
  CHECK(quant_method(folder.path()).empty());
  for (const auto& [text, method] : {std::pair("{}", ""), std::pair(R"({"quantization_config": null})", ""),
                                     std::pair(R"({"quantization_config": {"quant_method": "fp8"}})", "fp8"),
                                     std::pair(R"({"quantization_config": {"load_in_8bit": true}})", "bitsandbytes"),
                                     std::pair(R"({"quantization_config": {}})", "a method without a name")}) {
    write_text(folder / "config.json", text);
    CHECK(quant_method(folder.path()) == method);
  }
  write_text(folder / "config.json", "{");
  CHECK_THROWS_WITH(quant_method(folder.path()), Catch::Contains("config.json"));
}
