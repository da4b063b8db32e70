#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

#include "core/checkpoint/lora_plan.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

const LoraModel small_model{"small",
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

void refused(ErrorKind kind, const LoraFile& file, const std::vector<std::string>& says,
             const LoraModel& of = small_model) {
  try {
    plan_lora(file, of, {});
    FAIL("not refused");
  } catch (const Error& error) {
    CHECK(error.kind() == kind);
    for (const std::string& part : says) CHECK_THAT(error.what(), Catch::Contains(part));
  }
}

double scale_of(const LoraFile& file, const LoraWeight& weight = {}) {
  for (const auto& [part, delta] : plan_lora(file, small_model, weight).deltas) {
    if (part == "denoiser") return delta.scale;
  }
  return std::nan("");
}

}  // namespace

TEST_CASE("each module's factors are named, with the parameter they are for") {
  const LoraPlan plan = plan_lora(kohya(), small_model, {0.5, 2});
  REQUIRE(plan.deltas.size() == 2);
  CHECK(plan.left_out.empty());
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
    peft.scales = {{"text_encoder", 100, {}}, {"unet", 2, {}}};
    CHECK(scale_of(peft) == 0.5);
  }
  peft.scales[1].by_root = true;
  CHECK(scale_of(peft) == 1);
  peft.scales[1].alphas.add("^attn2.to_k", 100);
  peft.scales[1].alphas.add("attn2.to_[kv]", 6);
  CHECK(scale_of(peft) == 3);
  peft.tensors = {{module + ".lora_A.weight", {4, 128}}, {module + ".lora_B.weight", {64, 4}}};
  peft.scales = {{"", 8, {}}};
  CHECK(scale_of(peft) == 2);
}

TEST_CASE("LoKr of whole factors is not scaled by an alpha, and is by peft's configuration") {
  LoraFile file{"k.safetensors", {{to_k + ".lokr_w1", {4, 4}}, {to_k + ".lokr_w2", {16, 32}}}, {}, {}};
  file.alphas[to_k + ".alpha"] = 1e10;
  CHECK(scale_of(file) == 1);
  file.alphas.clear();
  file.tensors = {{"unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.lokr_w1", {4, 4}},
                  {"unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.lokr_w2", {16, 32}}};
  file.scales = {{"unet", 4, 8}};
  CHECK(scale_of(file) == 0.5);
}

TEST_CASE("a weight of 0 adds nothing there, and is checked all the same") {
  CHECK(plan_lora(kohya(), small_model, {0, 0}).deltas.empty());
  CHECK(plan_lora(kohya(), small_model, {0, 1}).deltas.size() == 1);
  LoraFile file = kohya();
  file.tensors[1].shape = {64, 5};
  CHECK_THROWS_AS(plan_lora(file, small_model, {0, 0}), Error);
}

TEST_CASE("differences are added to weights and biases") {
  const std::string conv = "lora_unet_mid_block_resnets_0_conv1";
  const LoraFile file{"d.safetensors", {{conv + ".diff", {64, 32, 3, 3}}, {conv + ".diff_b", {64}}}, {}, {}};
  const LoraPlan plan = plan_lora(file, small_model, {1, 0.5});
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
  file.tensors.push_back({"bundle_emb.style.clip_l", {1, 768}});
  const LoraPlan plan = plan_lora(file, small_model, {});
  CHECK(plan.deltas.size() == 2);
  CHECK(plan.left_out.at(LeftOut::no_module).count == 8);
  CHECK(plan.left_out.at(LeftOut::no_module).first.size() == listing_length);
  CHECK(plan.left_out.at(LeftOut::no_name).first == std::vector<std::string>{"stray"});
  CHECK(plan.left_out.at(LeftOut::bundled).count == 1);
  CHECK(plan.left_out.size() == 3);
}

TEST_CASE("a module that a file holds twice is added once") {
  LoraFile file = kohya();
  const std::string module = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k";
  file.tensors.push_back({module + ".lora_A.weight", {4, 128}});
  file.tensors.push_back({module + ".lora_B.weight", {64, 4}});
  const LoraPlan plan = plan_lora(file, small_model, {});
  CHECK(plan.deltas.size() == 2);
  CHECK(plan.left_out.at(LeftOut::twice).first ==
        std::vector<std::string>{module + ".lora_A.weight", module + ".lora_B.weight"});
}

TEST_CASE("what a module has beside its factors is said") {
  LoraFile file = kohya();
  file.tensors.push_back({to_k + ".diff", {64, 128}});
  file.tensors.push_back({to_k + ".diff_b", {64}});
  const LoraPlan plan = plan_lora(file, small_model, {});
  CHECK(plan.left_out.at(LeftOut::beside).first == std::vector<std::string>{to_k + ".diff"});
  CHECK(plan.left_out.at(LeftOut::no_bias).first == std::vector<std::string>{to_k + ".diff_b"});
}

TEST_CASE("alpha stands behind the processor's ending too") {
  const std::string module = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.processor.to_k_lora";
  const LoraFile file{"o.safetensors",
                      {{module + ".down.weight", {4, 128}}, {module + ".up.weight", {64, 4}}, {module + ".alpha", {}}},
                      {{module + ".alpha", 2}},
                      {}};
  CHECK(scale_of(file) == 0.5);
  CHECK(plan_lora(file, small_model, {}).left_out.empty());
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
    CHECK(plan_lora(file, small_model, {}).deltas[1].second.tensors.contains("dora_scale"));
  }
  file.tensors.back().shape = {1, 64};
  refused(ErrorKind::incompatible, file, {"dora_scale", "[1, 64]", "64 numbers"});
}

TEST_CASE("a part that keeps its weights in its graph takes none") {
  LoraModel closed = small_model;
  closed.parts[0].parameters.clear();
  refused(ErrorKind::incompatible, kohya(), {"denoiser", "in its graph", "small"}, closed);
}

TEST_CASE("the bias of a second factor is scaled as the factors are, a difference is not") {
  const std::string conv = "unet.mid_block.resnets.0.conv1";
  LoraFile file{"b.safetensors",
                {{conv + ".lora_A.weight", {4, 32, 3, 3}},
                 {conv + ".lora_B.weight", {64, 4, 1, 1}},
                 {conv + ".lora_B.bias", {64}}},
                {},
                {{"unet", 2, 4}}};
  LoraPlan plan = plan_lora(file, small_model, {1, 3});
  REQUIRE(plan.deltas.size() == 2);
  CHECK(plan.left_out.empty());
  CHECK(plan.deltas[0].second.parameter == "mid_block.resnets.0.conv1.bias");
  CHECK(plan.deltas[0].second.kind == DeltaKind::full);
  CHECK(plan.deltas[0].second.tensors.at("diff") == conv + ".lora_B.bias");
  CHECK(plan.deltas[0].second.scale == 1.5);
  CHECK(plan.deltas[1].second.scale == 1.5);
  file.tensors[2].name = conv + ".diff_b";
  CHECK(plan_lora(file, small_model, {1, 3}).deltas[0].second.scale == 3);
  file.tensors[2] = {conv + ".lora_B.bias", {63}};
  refused(ErrorKind::incompatible, file, {"[63, 1]", "[64, 1]"});
}

TEST_CASE("peft's ranks must be those of the tensors, for they set the strength") {
  const std::string module = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k";
  LoraFile file{"p.safetensors",
                {{module + ".lora_A.weight", {4, 128}}, {module + ".lora_B.weight", {64, 4}}},
                {},
                {{"unet", 8, 8}}};
  refused(ErrorKind::input, file, {module, "rank 4", "says 8", "rank_pattern"});
  file.scales[0].ranks.add("down_blocks\\..*\\.to_[kv]", 4);
  CHECK(scale_of(file) == 2);
}

TEST_CASE("patterns that take too long are refused") {
  const std::string module = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k";
  LoraFile file{"p.safetensors",
                {{module + ".lora_A.weight", {4, 128}}, {module + ".lora_B.weight", {64, 4}}},
                {},
                {{"unet", 8, 4}}};
  for (int i = 0; i < 60; ++i) {
    file.scales[0].alphas.add("(.?){1600}x", 4);
    file.scales[0].ranks.add("(.?){1600}x", 4);
  }
  refused(ErrorKind::input, file, {"takes too long", module, "Write it"});
}

TEST_CASE("a LoRA of a kind that is not applied is refused for its kind, whatever it is for") {
  for (const char* width : {"lora_unet_double_blocks_0_img_attn_qkv", "lora_unet_nowhere"}) {
    const std::string module = width;
    refused(ErrorKind::input, {"o.safetensors", {{module + ".alpha", {}}, {module + ".oft_blocks", {4, 8, 8}}}, {}, {}},
            {"of the kind OFT", "does not apply", module + ".oft_blocks"});
    refused(ErrorKind::input, {"v.safetensors", {{module + ".vera_lambda_b", {4}}}, {}, {}}, {"of the kind VeRA"});
  }
  LoraFile mixed = kohya();
  mixed.tensors.push_back({to_k + ".a1.weight", {4, 4}});
  refused(ErrorKind::input, mixed, {"of the kind GLoRA"});
}

TEST_CASE("whole weights beside factors are refused, and so is a model given as a LoRA") {
  LoraFile file = kohya();
  for (const char* name :
       {"base_model.model.mid_block.resnets.0.conv1.bias", "unet.mid_block.resnets.0.conv1.weight"}) {
    file.tensors.resize(4);
    file.tensors.push_back({name, {64}});
    refused(ErrorKind::input, file, {"whole weights beside its factors", name, "modules_to_save"});
  }
}

TEST_CASE("peft's own levels and underscores do not hide a whole weight") {
  LoraFile file = kohya();
  for (const char* name :
       {"base_model.model.conv_out.modules_to_save.weight", "unet.conv_out.modules_to_save.default.weight",
        "base_model.model.conv_out.base_layer.weight", "base_model.model.conv_out.original_module.bias",
        "lora_unet_mid_block_resnets_0_conv1.weight", "lycoris_mid_block_resnets_0_conv1.bias"}) {
    INFO(name);
    file.tensors.resize(4);
    file.tensors.push_back({name, {64}});
    refused(ErrorKind::input, file, {"whole weights beside its factors", name});
  }
}

TEST_CASE("what stands below a factor's name and is none is refused") {
  for (const char* ending : {".lora_down.scale", ".lora_down.zero_point", ".lora_up.weight.scales", ".lora_up.alpha"}) {
    LoraFile file = kohya();
    file.tensors.push_back({to_k + ending, {}});
    refused(ErrorKind::input, file, {"tells of the factor " + to_k + ".lora_", to_k + ending});
  }
  const std::string module = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.lora_";
  LoraFile peft{"a.safetensors",
                {{module + "A.scale", {}}, {module + "A.weight", {4, 128}}, {module + "B.weight", {64, 4}}},
                {},
                {}};
  refused(ErrorKind::input, peft, {"tells of the factor " + module + "A "});  // no adapter called "scale"
  peft.tensors.front() = {module + "B.bias", {64}};
  CHECK_NOTHROW(plan_lora(peft, small_model, {}));
}

TEST_CASE("what peft's configuration says that every layer has, every layer must have") {
  const std::string module = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.";
  LoraFile file{"a.safetensors", {{module + "lora_A.weight", {4, 128}}, {module + "lora_B.weight", {64, 4}}}, {}, {}};
  PeftScale scale{"unet", 4, 4};
  scale.dora = true;
  file.scales = {scale};
  refused(ErrorKind::input, file, {"use_dora", "lora_magnitude_vector", module.substr(0, module.size() - 1)});
  file.tensors.push_back({module + "lora_magnitude_vector", {64}});
  CHECK(plan_lora(file, small_model, {}).deltas.size() == 1);
  file.scales.front().bias = true;
  refused(ErrorKind::input, file, {"lora_bias", "lora_B.bias"});
  file.scales.front().part = "text_encoder";
  CHECK_NOTHROW(plan_lora(file, small_model, {}));
}

TEST_CASE("a control LoRA is told by its first layer") {
  const LoraModel flux{"little", "flux", {{"denoiser", {{"x_embedder.weight", {96, 16}}, {"x_embedder.bias", {96}}}}}};
  const auto made = [](std::int64_t reads, std::int64_t rows) {
    return LoraFile{"depth.safetensors",
                    {{"transformer.x_embedder.lora_A.weight", {4, reads}},
                     {"transformer.x_embedder.lora_B.weight", {rows, 4}},
                     {"transformer.x_embedder.lora_B.bias", {rows}},
                     {"transformer.single_transformer_blocks.0.attn.norm_q.weight", {8}}},
                    {},
                    {}};
  };
  refused(ErrorKind::incompatible, made(128, 3072), {"control LoRA for FLUX.1", "128 numbers", "64"}, flux);
  refused(ErrorKind::incompatible, made(128, 96), {"control LoRA", "128 numbers", "the model's 16"}, flux);
  CHECK(plan_lora(made(16, 96), flux, {}).deltas.size() == 2);
}
