#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/checkpoint/known_relatives.hpp"
#include "core/family/recipes.hpp"
#include "graph_shapes.hpp"

using namespace lapis::core;

namespace {

using Checkpoint = std::vector<TensorShape>;

std::string title_of(const Checkpoint& checkpoint) {
  const Relative* relative = find_relative(checkpoint);
  return relative == nullptr ? "" : std::string(relative->title);
}

}  // namespace

TEST_CASE("what lapis has no graphs for is told by its marks") {
  const std::vector<std::pair<TensorShape, std::string>> cases = {
      {{"lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight", {4, 320, 1, 1}}, "a LoRA"},
      {{"unet.down_blocks.0.attentions.0.proj_in.lora_A.weight", {4, 320}}, "a LoRA"},
      {{"control_model.input_hint_block.0.weight", {16, 3, 3, 3}}, "a ControlNet"},
      {{"controlnet_cond_embedding.conv_in.weight", {16, 3, 3, 3}}, "a ControlNet"},
      {{"emb_params", {8, 768}}, "a textual inversion"},
      {{"<cat-toy>", {768}}, "a textual inversion"},
      {{"model.diffusion_model.joint_blocks.0.context_block.adaLN_modulation.1.bias", {9216}}, "Stable Diffusion 3"},
      {{"joint_blocks.37.x_block.mlp.fc1.weight", {9728, 2432}}, "Stable Diffusion 3.5 large"},
      {{"model.diffusion_model.joint_blocks.0.x_block.attn2.qkv.weight", {4608, 1536}}, "Stable Diffusion 3.5 medium"},
      {{"clip_txt_mapper.weight", {2048, 1280}}, "Stable Cascade, stage C"},
      {{"down_blocks.1.0.channelwise.0.weight", {2560, 640}}, "Stable Cascade, stage B"},
      {{"y_embedder.y_proj.fc1.weight", {1152, 4096}}, "PixArt"},
      {{"model.diffusion_model.head.modulation", {1, 2, 5120}}, "Wan"},
      {{"txt_in.individual_token_refiner.blocks.0.adaLN_modulation.1.bias", {6144}}, "HunyuanVideo"},
      {{"text_embedding_padding", {333, 1024}}, "HunyuanDiT"},
      {{"double_layers.0.attn.w1q.weight", {3072, 3072}}, "AuraFlow"},
      {{"img_in.weight", {3072, 384}}, "FLUX.1 Fill"},
      {{"edm_mean", {4}}, "Playground 2.5"},
      {{"double_blocks.0.img_attn.qkv.weight.quant_state.bitsandbytes__nf4", {120}},
       "a checkpoint quantized by bitsandbytes"},
      {{"time_embedding.cond_proj.weight", {320, 256}}, "a latent consistency model"},
      {{"model.diffusion_model.input_blocks.0.0.weight", {320, 8, 3, 3}}, "InstructPix2Pix"},
      {{"model.diffusion_model.input_blocks.0.0.weight", {256, 7, 3, 3}}, "Stable Diffusion's x4 upscaler"},
  };
  for (const auto& [tensor, title] : cases) {
    CAPTURE(tensor.name);
    CHECK(title_of({tensor}) == title);
    const bool alone = tensor.name == "<cat-toy>";  // told by being alone in its file
    CHECK(title_of({{"another", {3, 3}}, tensor, {"third", {3}}}) == (alone ? "" : title));
  }
}

TEST_CASE("every relative says what to do, and the advice names the file") {
  for (const Relative& relative : known_relatives()) {
    CAPTURE(relative.title);
    CHECK_FALSE(relative.title.empty());
    CHECK_FALSE(relative.marks.front().text.empty());
    const std::string advice = advice_for(relative, "a.safetensors");
    CHECK(advice.find("FILE") == std::string::npos);
    CHECK((advice.find("a.safetensors") != std::string::npos) == (relative.advice.find("FILE") != std::string::npos));
  }
}

TEST_CASE("every row is told by its marks, and by no row before it") {
  for (const Relative& relative : known_relatives()) {
    Checkpoint checkpoint = {{"another", {3, 3}}};
    for (const TensorMark& mark : relative.marks) {
      if (mark.text.empty()) continue;
      TensorShape tensor{std::string(mark.text), {5, 5, 5, 5}};
      if (mark.where == Where::inside || mark.where == Where::begin) tensor.name += "x";
      if (mark.where == Where::inside || mark.where == Where::end) tensor.name.insert(0, "x.");
      if (mark.axis >= 0) tensor.shape[static_cast<std::size_t>(mark.axis)] = mark.size;
      checkpoint.push_back(std::move(tensor));
    }
    CAPTURE(relative.title, relative.marks.front().text);
    CHECK(title_of(checkpoint) == relative.title);
    for (const TensorMark& mark : relative.lacks) {
      if (mark.text.empty()) continue;
      Checkpoint larger = checkpoint;
      larger.push_back({std::string(mark.text) + "x", {5, 5}});
      CHECK(find_marked_relative(larger) != &relative);
    }
  }
}

TEST_CASE("a twin is told by words, or said to be undecided") {
  using Texts = std::vector<std::string>;
  for (const Twin& twin : twins()) {
    CAPTURE(twin.relative.title);
    CHECK(find_twin(twin.graph, Texts{"A " + std::string(twin.word) + " B"}) == &twin.relative);
    CHECK(find_twin("sd15-unet", Texts{std::string(twin.word)}) == nullptr);
    CHECK(find_twin(twin.graph, Texts{"a.safetensors"}) == nullptr);
  }
  CHECK(find_twin("flux-dev", Texts{"flux1-dev-KONTEXT_fp8"})->title == "FLUX.1 Kontext");
  CHECK(undecided_twin("flux-dev", Texts{"model.safetensors"})->title == "FLUX.1 Kontext");
  CHECK(undecided_twin("flux-dev", Texts{"model.safetensors", "Flux Dev"}) == nullptr);
  CHECK(undecided_twin("sdxl-unet", Texts{"model.safetensors"}) == nullptr);
}

TEST_CASE("a folder's pipeline names what lapis makes no model of, and nothing of what it does") {
  CHECK(find_pipeline("FluxControlPipeline")->title == "FLUX.1 Canny or Depth");
  CHECK(find_pipeline("FluxControlNetImg2ImgPipeline")->title == "FLUX.1 with a ControlNet");
  CHECK(find_pipeline("StableDiffusion3Img2ImgPipeline")->title == "Stable Diffusion 3");
  for (const char* ours : {"", "StableDiffusionPipeline", "StableDiffusionImg2ImgPipeline", "StableDiffusionXLPipeline",
                           "StableDiffusionXLImg2ImgPipeline", "FluxPipeline", "FluxImg2ImgPipeline"}) {
    CHECK(find_pipeline(ours) == nullptr);
  }
}

TEST_CASE("the graphs that no family renders with are relatives by name") {
  for (const Recipe& recipe : recipes()) {
    const Checkpoint tensors = lapis::test::graph_tensors(recipe.parts.at("denoiser"));
    CAPTURE(recipe.title);
    CHECK(title_of(tensors) == (recipe.family.empty() ? recipe.title : ""));
  }
}
