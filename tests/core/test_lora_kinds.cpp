#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/checkpoint/lora_keys.hpp"
#include "core/checkpoint/lora_kinds.hpp"
#include "golden.hpp"

using namespace lapis::core;
using nlohmann::json;

namespace {

std::string kind_of(const std::vector<TensorShape>& tensors) {
  const std::optional<ForeignLora> foreign = foreign_lora(tensors);
  return foreign ? foreign->title : "";
}

std::string kind_of(const std::string& name) { return kind_of({{"a.lora_A.weight", {4, 8}}, {name, {4, 8}}}); }

}  // namespace

TEST_CASE("every type of adapter that peft writes is applied or known by its name") {
  std::size_t foreign = 0;
  for (const json& one : lapis::test::golden_cases("peft")) {
    if (one.at("kind") != "type") continue;
    const std::string type = one.at("type");
    const std::string title = foreign_peft_type(type);
    const bool applied = type == "LORA" || type == "LOHA" || type == "LOKR";
    INFO(type);
    CHECK(title.empty() == applied);
    for (const std::string name : one.at("names")) {
      INFO(name);
      const std::string found = kind_of("base_model.model.mid_block.to_q." + name + ".weight");
      if (read_lora_key("m." + name)) {
        CHECK(found.empty());
      } else {
        CHECK(found == (applied || name.starts_with("lora_embedding") ? "LoRA of an embedding table" : title));
      }
    }
    if (type == "LORA" || type == "ADALORA" || applied) continue;
    CHECK(kind_of("base_model.model.m." + one.at("prefix").get<std::string>() + "x") == title);
    ++foreign;
  }
  CHECK(foreign > 35);
}

TEST_CASE("every algorithm of LyCORIS is applied or known by its name") {
  const std::map<std::string, std::string> titles = {
      {"glora", "GLoRA"}, {"ia3", "IA3"}, {"diag-oft", "OFT"}, {"boft", "BOFT"}, {"tlora", "T-LoRA"}};
  std::size_t applied = 0;
  for (const json& one : lapis::test::golden_cases("peft")) {
    if (one.at("kind") != "lycoris") continue;
    INFO(one.at("algorithm") << one.at("options"));
    std::vector<TensorShape> tensors;
    for (const auto& [name, shape] : one.at("tensors").items()) {
      tensors.push_back({name, shape.get<std::vector<std::int64_t>>()});
    }
    const auto title = titles.find(one.at("algorithm"));
    CHECK(kind_of(tensors) == (title == titles.end() ? "" : title->second));
    if (title != titles.end()) continue;
    for (const TensorShape& tensor : tensors) {
      INFO(tensor.name);
      CHECK(read_lora_key(tensor.name).has_value());
    }
    ++applied;
  }
  CHECK(applied == 11);
}

TEST_CASE("kinds of other programs are known, and names like them are not") {
  CHECK(kind_of("lora_unet_mid.oft_blocks") == "OFT");
  CHECK(kind_of("base_model.vera_A") == "VeRA");
  CHECK(kind_of("vblora_vector_bank") == "VB-LoRA");
  CHECK(kind_of("m.lora_E.default") == "AdaLoRA");
  CHECK(kind_of("img_in.reshape_weight") == "LoRA of a layer that changes its shape");
  CHECK(kind_of("m.norm.set_weight") == "LoRA with whole weights");
  for (const char* name :
       {"m.b1.weights", "a1.weightless", "m.lora_Ex", "m.on_inputs", "m.xoft_blocks", "m.lora_B.bias"}) {
    INFO(name);
    CHECK(kind_of(name).empty());
  }
}

TEST_CASE("a first layer that reads more than the architecture does is a control LoRA's") {
  const auto layer = [](const std::string& module, std::int64_t reads, std::int64_t rows) {
    const std::vector<std::int64_t> kernel = {4, reads, 3, 3};
    const bool unet = module.ends_with("conv_in");
    return control_layer(
        std::vector<TensorShape>{{module + ".lora_A.weight", unet ? kernel : std::vector{std::int64_t{4}, reads}},
                                 {module + ".lora_B.weight", {rows, 4}}});
  };
  REQUIRE(layer("transformer.x_embedder", 128, 3072));
  CHECK(layer("transformer.x_embedder", 128, 3072)->published);
  CHECK(layer("img_in", 384, 3072)->reads == 384);
  CHECK_FALSE(layer("img_in", 128, 6144)->published);  // FLUX.2's own
  CHECK(layer("unet.conv_in", 8, 320)->reads == 8);
  CHECK(layer("unet.conv_in", 8, 320)->published);
  CHECK_FALSE(layer("img_in", 64, 3072));
  CHECK_FALSE(layer("unet.conv_in", 4, 320));
  CHECK_FALSE(layer("txt_in", 4096, 3072));
}

TEST_CASE("what a LoRA is for") {
  const std::string to_k = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k";
  const auto title = [](const std::string& name, const std::vector<std::int64_t>& shape) {
    return lora_title(std::vector<TensorShape>{{name, shape}});
  };
  CHECK(title(to_k + ".lora_down.weight", {16, 768}) == "Stable Diffusion 1.x");
  CHECK(title("unet.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_v.lora_A.weight", {16, 2048}) ==
        "Stable Diffusion XL");
  CHECK(title("unet.d.attn2.processor.to_k_lora.down.weight", {16, 1024}) == "Stable Diffusion 2");
  CHECK(title(to_k + ".hada_w1_b", {16, 100}) == "a UNet that reads text of width 100");
  CHECK(title("transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight", {16, 3072}) == "FLUX.1");
  CHECK(title("lora_unet_joint_blocks_0_x.lora_down.weight", {16, 3072}) == "Stable Diffusion 3");
  CHECK(title("lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight", {16, 768}).empty());
}
