#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "core/lora_plan.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

const LoraModel model{"small",
                      "sd15",
                      {{"denoiser",
                        {{"down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight", {64, 128}},
                         {"mid_block.resnets.0.conv1.weight", {64, 32, 3, 3}},
                         {"mid_block.resnets.0.conv1.bias", {64}}}},
                       {"text_encoder", {{"text_model.encoder.layers.0.mlp.fc1.weight", {512, 128}}}}}};

const std::string to_k = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k";
const std::string fc1 = "lora_te_text_model_encoder_layers_0_mlp_fc1";

LoraFile kohya(std::int64_t rank = 4, std::int64_t width = 128) {
  return {"a.safetensors",
          {{to_k + ".lora_down.weight", {rank, width}},
           {to_k + ".lora_up.weight", {64, rank}},
           {fc1 + ".lora_down.weight", {rank, 128}},
           {fc1 + ".lora_up.weight", {512, rank}}},
          {},
          {}};
}

void refused(ErrorKind kind, const LoraFile& file, const std::vector<std::string>& says, const LoraModel& of = model) {
  try {
    plan_lora(file, of, {});
    FAIL("not refused");
  } catch (const Error& error) {
    CHECK(error.kind() == kind);
    for (const std::string& part : says) CHECK_THAT(error.what(), Catch::Contains(part));
  }
}

double scale_of(const LoraFile& file, const LoraWeight& weight = {}) {
  for (const auto& [part, delta] : plan_lora(file, model, weight).deltas) {
    if (part == "denoiser") return delta.scale;
  }
  return std::nan("");
}

}  // namespace

TEST_CASE("each module's factors are named, with the parameter they are for") {
  const LoraPlan plan = plan_lora(kohya(), model, {0.5, 2});
  REQUIRE(plan.deltas.size() == 2);
  CHECK(plan.unknown.count == 0);
  const auto& [text, first] = plan.deltas[0];
  CHECK(text == "text_encoder");
  CHECK(first.parameter == "text_model.encoder.layers.0.mlp.fc1.weight");
  CHECK(first.scale == 0.5);
  const auto& [unet, second] = plan.deltas[1];
  CHECK(unet == "denoiser");
  CHECK(second.scale == 2);
  CHECK(second.tensors ==
        std::map<std::string, std::string>{{"down", to_k + ".lora_down.weight"}, {"up", to_k + ".lora_up.weight"}});
}

TEST_CASE("alpha is the file's, else peft's, else the rank") {
  LoraFile file = kohya(8);
  CHECK(scale_of(file) == 1);
  file.alphas[to_k + ".alpha"] = 2;
  CHECK(scale_of(file, {1, 3}) == 0.75);
  LoraFile peft{"p.safetensors", {}, {}, {}};
  const std::string module = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k";
  for (const char* lead : {"unet.", "base_model.model.unet."}) {
    peft.tensors = {{lead + module + ".lora_A.weight", {4, 128}}, {lead + module + ".lora_B.weight", {64, 4}}};
    peft.scales = {{"text_encoder", 100, {}, {}, false}, {"unet", 2, {}, {}, false}};
    CHECK(scale_of(peft) == 0.5);
  }
  peft.scales[1].by_root = true;
  CHECK(scale_of(peft) == 1);
  peft.scales[1].alphas["attn2.to_k"] = 6;
  CHECK(scale_of(peft) == 3);
  peft.tensors = {{module + ".lora_A.weight", {4, 128}}, {module + ".lora_B.weight", {64, 4}}};
  peft.scales = {{"", 8, {}, {}, false}};
  CHECK(scale_of(peft) == 2);
}

TEST_CASE("LoKr of whole factors is not scaled by an alpha, and is by peft's configuration") {
  LoraFile file{"k.safetensors", {{to_k + ".lokr_w1", {4, 4}}, {to_k + ".lokr_w2", {16, 32}}}, {}, {}};
  file.alphas[to_k + ".alpha"] = 1e10;
  CHECK(scale_of(file) == 1);
  file.alphas.clear();
  file.tensors = {{"unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.lokr_w1", {4, 4}},
                  {"unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.lokr_w2", {16, 32}}};
  file.scales = {{"unet", 4, 8, {}, false}};
  CHECK(scale_of(file) == 0.5);
}

TEST_CASE("a weight of 0 adds nothing there, and is checked all the same") {
  CHECK(plan_lora(kohya(), model, {0, 0}).deltas.empty());
  CHECK(plan_lora(kohya(), model, {0, 1}).deltas.size() == 1);
  LoraFile file = kohya();
  file.tensors[1].shape = {64, 5};
  CHECK_THROWS_AS(plan_lora(file, model, {0, 0}), Error);
}

TEST_CASE("differences are added to weights and biases") {
  const std::string conv = "lora_unet_mid_block_resnets_0_conv1";
  const LoraFile file{"d.safetensors", {{conv + ".diff", {64, 32, 3, 3}}, {conv + ".diff_b", {64}}}, {}, {}};
  const LoraPlan plan = plan_lora(file, model, {1, 0.5});
  REQUIRE(plan.deltas.size() == 2);
  CHECK(plan.deltas[0].second.parameter == "mid_block.resnets.0.conv1.bias");
  CHECK(plan.deltas[1].second.parameter == "mid_block.resnets.0.conv1.weight");
  CHECK(plan.deltas[1].second.kind == DeltaKind::full);
  CHECK(plan.deltas[1].second.scale == 0.5);
}

TEST_CASE("tensors that speak of nothing are counted, and the first are named") {
  LoraFile file = kohya();
  for (int i = 0; i < 8; ++i) {
    file.tensors.push_back({"lora_unet_no_such_" + std::to_string(i) + ".lora_down.weight", {4, 4}});
  }
  file.tensors.push_back({"stray", {1}});
  const LoraPlan plan = plan_lora(file, model, {});
  CHECK(plan.deltas.size() == 2);
  CHECK(plan.unknown.count == 9);
  CHECK(plan.unknown.first.size() == listing_length);
}

TEST_CASE("a module that a file holds twice is added once") {
  LoraFile file = kohya();
  const std::string module = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k";
  file.tensors.push_back({module + ".lora_A.weight", {4, 128}});
  file.tensors.push_back({module + ".lora_B.weight", {64, 4}});
  const LoraPlan plan = plan_lora(file, model, {});
  CHECK(plan.deltas.size() == 2);
  CHECK(plan.unknown.first == std::vector<std::string>{module + ".lora_A.weight", module + ".lora_B.weight"});
}

TEST_CASE("what a module has beside its factors is said") {
  LoraFile file = kohya();
  file.tensors.push_back({to_k + ".diff", {64, 128}});
  file.tensors.push_back({to_k + ".diff_b", {64}});
  CHECK(plan_lora(file, model, {}).unknown.first == std::vector<std::string>{to_k + ".diff", to_k + ".diff_b"});
}

TEST_CASE("alpha stands behind the processor's ending too") {
  const std::string module = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.processor.to_k_lora";
  const LoraFile file{"o.safetensors",
                      {{module + ".down.weight", {4, 128}}, {module + ".up.weight", {64, 4}}, {module + ".alpha", {}}},
                      {{module + ".alpha", 2}},
                      {}};
  CHECK(scale_of(file) == 0.5);
  CHECK(plan_lora(file, model, {}).unknown.count == 0);
}

TEST_CASE("a LoRA of another family, or none at all, is refused with what it is") {
  refused(ErrorKind::incompatible, kohya(4, 2048),
          {"Stable Diffusion XL", "family sd15", "[64, 2048]", "[64, 128]", to_k});
  LoraFile flux = kohya();
  flux.tensors = {{"lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight", {4, 3072}},
                  {"lora_unet_double_blocks_0_img_attn_qkv.lora_up.weight", {9216, 4}}};
  refused(ErrorKind::incompatible, flux, {"FLUX.1", "none of its 2 tensors"});
  refused(ErrorKind::input, {"m.safetensors", {{"conv_in.weight", {4, 4, 3, 3}}}, {}, {}}, {"is no LoRA"});
  refused(ErrorKind::input, {"m.safetensors", {}, {}, {}}, {"is no LoRA", "0 tensors"});
}

TEST_CASE("ranks that disagree and halves that lack are refused by name") {
  LoraFile file = kohya();
  file.tensors[1].shape = {64, 5};
  refused(ErrorKind::input, file, {to_k, "rank 5", "rank 4"});
  file = kohya();
  file.tensors.erase(file.tensors.begin());
  refused(ErrorKind::input, file, {to_k, "\"down\""});
}

TEST_CASE("DoRA's magnitudes must fit too") {
  LoraFile file = kohya();
  for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{64}, {64, 1}, {1, 128}}) {
    file.tensors.resize(4);
    file.tensors.push_back({to_k + ".dora_scale", shape});
    CHECK(plan_lora(file, model, {}).deltas[1].second.tensors.contains("dora_scale"));
  }
  file.tensors.back().shape = {1, 64};
  refused(ErrorKind::incompatible, file, {"dora_scale", "[1, 64]", "64 numbers"});
}

TEST_CASE("a part that keeps its weights in its graph takes none") {
  LoraModel closed = model;
  closed.parts[0].parameters.clear();
  refused(ErrorKind::incompatible, kohya(), {"denoiser", "in its graph", "small"}, closed);
}

TEST_CASE("what a LoRA is for") {
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
