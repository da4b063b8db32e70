#include "core/checkpoint/known_relatives.hpp"

#include <algorithm>

#include "core/text/names.hpp"
#include "core/text/suggest.hpp"

namespace lapis::core {
namespace {

constexpr std::string_view other_family =
    "lapis imports Stable Diffusion 1.x, SDXL and FLUX.1, and models of the architectures that {lapis list} models "
    "shows";
constexpr std::string_view lora =
    "No model is made of it. Add it to the model it was trained for: {lapis generate} ... {-model} MODEL {loras} FILE";
constexpr std::string_view embedding =
    "No model is made of it. Give it beside the model it was trained for: {lapis generate} ... {-model} MODEL "
    "{embeddings} FILE";
constexpr std::string_view addition =
    "It goes beside a checkpoint, and lapis has no use for it yet. Import the checkpoint alone";
constexpr std::string_view quantized = "Take the checkpoint in F16, BF16, F32 or F8";
constexpr std::string_view other_task =
    "lapis cannot render with it yet. Take the text-to-image model that it was made from";

constexpr std::string_view kontext =
    "lapis cannot give it the picture that it edits yet. Take FLUX.1 dev; where this is FLUX.1 dev by another name, "
    "rename "
    "FILE";
constexpr std::string_view one_step = "Take the checkpoint for 2, 4 or 8 steps, which predicts noise";

constexpr Relative row(std::string_view title, std::string_view advice, TensorMark first, TensorMark second = {},
                       TensorMark third = {}) {
  return {title, advice, {first, second, third}, {}};
}

/// A network of fewer blocks than the one whose names it has.
constexpr Relative smaller(std::string_view title, TensorMark first, TensorMark second, TensorMark lacks,
                           TensorMark lacks_too = {}) {
  return {title, other_family, {first, second}, {lacks, lacks_too}};
}

using enum Where;

// What contains others' names stands before them.
constexpr Relative relative_rows[] = {
    row("a LoRA", lora, {inside, ".lora_down."}),
    row("a LoRA", lora, {inside, ".lora_up."}),
    row("a LoRA", lora, {inside, ".lora_A."}),
    row("a LoRA", lora, {inside, ".lora.down."}),
    row("a LoRA", lora, {inside, "_lora.down."}),
    row("a LoRA", lora, {inside, ".hada_w1_a"}),
    row("a LoRA", lora, {inside, ".lokr_w1"}),
    row("a LoRA", lora, {inside, "_lora1.down."}),
    row("a LoRA", lora, {inside, "_lora2.down."}),
    row("a LoRA", lora, {inside, ".lora_linear_layer.down."}),
    row("a LoRA", lora, {inside, ".oft_blocks"}),
    row("a LoRA", lora, {inside, ".oft_diag"}),
    row("a LoRA", lora, {end, ".a1.weight"}, {end, ".b1.weight"}),
    row("a LoRA", lora, {end, ".on_input"}),
    row("a ControlNet", addition, {begin, "control_model."}),
    row("a ControlNet", addition, {inside, "controlnet_cond_embedding."}),
    row("a ControlNet", addition, {inside, "controlnet_blocks."}),
    row("a ControlNet", addition, {inside, "input_hint_block."}),
    row("a T2I-Adapter", addition, {end, "body.0.resnets.0.block1.weight"}),
    row("a T2I-Adapter", addition, {end, "body.0.block1.weight"}),
    row("FLUX.1 Redux", addition, {whole, "redux_up.weight"}),
    row("an upscaler of pictures", other_family, {end, ".rdb1.conv1.weight"}),
    row("an upscaler of pictures", other_family, {end, ".RDB1.conv1.0.weight"}),
    row("an IP-Adapter", addition, {begin, "ip_adapter."}),
    row("an IP-Adapter", addition, {begin, "image_proj."}),
    row("a textual inversion", embedding, {begin, "emb_params"}),
    row("a textual inversion", embedding, {begin, "string_to_param"}),
    row("a checkpoint quantized by bitsandbytes", quantized, {inside, ".quant_state.bitsandbytes__"}),
    row("a quantized checkpoint", quantized, {end, ".qweight"}),
    row("a latent consistency model", other_task, {end, "time_embedding.cond_proj.weight"}),
    row("a latent consistency model", other_task, {end, "time_embed.cond_proj.weight"}),
    row("GLIGEN", other_task, {inside, ".fuser."}),
    row("GLIGEN", other_task, {inside, "position_net."}),
    row("Kolors", other_family, {end, "encoder_hid_proj.weight"}),
    row("AnimateDiff's motion modules", addition, {inside, "motion_modules."}),
    row("Stable Video Diffusion", other_family, {inside, ".time_stack."}),
    row("Stable Video Diffusion", other_family, {inside, ".temporal_transformer_blocks."}),
    row("Stable Diffusion 3.5 large", other_family, {end, "joint_blocks.37.x_block.mlp.fc1.weight"}),
    row("Stable Diffusion 3.5 medium", other_family, {end, "joint_blocks.0.x_block.attn2.qkv.weight"}),
    row("Stable Diffusion 3", other_family, {end, "joint_blocks.0.context_block.adaLN_modulation.1.bias"}),
    row("Stable Diffusion 3", other_family, {end, "transformer_blocks.0.attn.add_q_proj.weight", 0, 1536}),
    row("Stable Diffusion 3.5 large", other_family, {end, "transformer_blocks.0.attn.add_q_proj.weight", 0, 2432}),
    row("Stable Cascade, stage C", other_family, {end, "clip_txt_mapper.weight"}),
    row("Stable Cascade, stage B", other_family, {end, "down_blocks.1.0.channelwise.0.weight"}),
    row("Stable Cascade, stage C", other_family, {end, "clip_txt_pooled_mapper.weight"}),
    row("LTX-Video", other_family, {end, "patchify_proj.weight"}),
    row("Sana", other_family, {end, "attention_y_norm.weight"}),
    row("PixArt", other_family, {end, "y_embedder.y_proj.fc1.weight"}),
    row("PixArt", other_family, {end, "adaln_single.linear.weight"}),
    row("Wan", other_family, {end, "head.modulation"}),
    row("Wan", other_family, {end, "condition_embedder.time_proj.weight"}),
    row("Wan's VAE", other_family, {end, "decoder.middle.0.residual.0.gamma"}),
    row("HunyuanVideo", other_family, {inside, "txt_in.individual_token_refiner."}),
    row("HunyuanVideo", other_family, {inside, "context_embedder.token_refiner."}),
    row("HunyuanDiT", other_family, {end, "mlp_t5.0.weight"}),
    row("HunyuanDiT", other_family, {end, "text_embedding_padding"}),
    row("AuraFlow", other_family, {end, "double_layers.0.attn.w1q.weight"}),
    row("AuraFlow", other_family, {end, "joint_transformer_blocks.0.attn.add_q_proj.weight"}),
    row("FLUX.2", other_family, {end, "single_stream_modulation.lin.weight"}),
    row("Chroma", other_family, {end, "distilled_guidance_layer.in_proj.bias"}),
    row("FLUX.1 Fill", other_task, {end, "img_in.weight", 1, 384}),
    row("FLUX.1 Fill", other_task, {end, "x_embedder.weight", 1, 384}, {inside, "single_transformer_blocks.0."}),
    row("FLUX.1 Canny or Depth", other_task, {end, "img_in.weight", 1, 128}),
    row("FLUX.1 Canny or Depth", other_task, {end, "x_embedder.weight", 1, 128},
        {inside, "single_transformer_blocks.0."}),
    smaller("FLUX.1 Lite", {end, "double_blocks.7.img_attn.qkv.weight"}, {end, "single_blocks.37.linear1.weight"},
            {inside, "double_blocks.8."}),
    smaller("FLUX.1 Lite", {begin, "transformer_blocks.7.attn.to_q.weight"},
            {begin, "single_transformer_blocks.37.attn.to_q.weight"}, {begin, "transformer_blocks.8."}),
    row("Qwen-Image", other_family, {end, "transformer_blocks.0.img_mod.1.weight"}),
    row("Z-Image", other_family, {end, "layers.0.adaLN_modulation.0.weight"}),
    row("Lumina 2", other_family, {end, "cap_embedder.0.weight"}),
    row("Playground 2.5", other_family, {whole, "edm_mean"}),
    row("Stable Diffusion's x4 upscaler", other_family, {end, "input_blocks.0.0.weight", 1, 7}),
    row("Stable Diffusion's x4 upscaler", other_family, {end, "conv_in.weight", 1, 7}),
    row("CosXL Edit", other_task, {end, "input_blocks.0.0.weight", 1, 8}, {end, "label_emb.0.0.weight", 1, 2816},
        {begin, "edm_vpred."}),
    row("InstructPix2Pix for Stable Diffusion XL, or CosXL Edit", other_task, {end, "input_blocks.0.0.weight", 1, 8},
        {end, "label_emb.0.0.weight", 1, 2816}),
    row("InstructPix2Pix for Stable Diffusion XL, or CosXL Edit", other_task, {end, "conv_in.weight", 1, 8},
        {end, "add_embedding.linear_1.weight", 1, 2816}),
    row("Stable Diffusion XL for inpainting", other_task, {end, "input_blocks.0.0.weight", 1, 9},
        {end, "label_emb.0.0.weight", 1, 2816}),
    row("Stable Diffusion XL for inpainting", other_task, {end, "conv_in.weight", 1, 9},
        {end, "add_embedding.linear_1.weight", 1, 2816}),
    row("the Stable Diffusion XL refiner", other_task, {end, "label_emb.0.0.weight", 1, 2560}),
    row("the Stable Diffusion XL refiner", other_task, {end, "add_embedding.linear_1.weight", 1, 2560}),
    row("Stable Diffusion 2", other_family, {end, "input_blocks.2.1.transformer_blocks.0.attn2.to_k.weight", 1, 1024}),
    row("Stable Diffusion 2", other_family,
        {begin, "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight", 1, 1024}),
    row("Stable Diffusion 2", other_family, {begin, "cond_stage_model.model.transformer.resblocks."}),
    row("InstructPix2Pix", other_task, {end, "input_blocks.0.0.weight", 1, 8}),
    row("InstructPix2Pix", other_task, {begin, "conv_in.weight", 1, 8}),
    row("Stable Diffusion 1.x for inpainting", other_task, {end, "input_blocks.0.0.weight", 1, 9}),
    row("Stable Diffusion 1.x for inpainting", other_task, {begin, "conv_in.weight", 1, 9}),
    smaller("Segmind Vega", {end, "label_emb.0.0.weight", 1, 2816},
            {end, "input_blocks.8.1.transformer_blocks.1.norm1.weight"},
            {inside, "input_blocks.8.1.transformer_blocks.2."}, {inside, "middle_block.1.norm"}),
    smaller("Segmind Vega", {end, "add_embedding.linear_1.weight", 1, 2816},
            {end, "down_blocks.2.attentions.1.transformer_blocks.1.norm1.weight"},
            {inside, "down_blocks.2.attentions.1.transformer_blocks.2."}, {inside, "mid_block.attentions."}),
    smaller("SSD-1B", {end, "label_emb.0.0.weight", 1, 2816},
            {end, "input_blocks.8.1.transformer_blocks.3.norm1.weight"},
            {inside, "input_blocks.8.1.transformer_blocks.4."}, {inside, "middle_block.1.norm"}),
    smaller("SSD-1B", {end, "add_embedding.linear_1.weight", 1, 2816},
            {end, "down_blocks.2.attentions.1.transformer_blocks.3.norm1.weight"},
            {inside, "down_blocks.2.attentions.1.transformer_blocks.4."}, {inside, "mid_block.attentions."}),
    smaller("KOALA", {end, "add_embedding.linear_1.weight", 1, 2816},
            {end, "down_blocks.2.attentions.0.transformer_blocks.4.norm1.weight"},
            {inside, "down_blocks.2.attentions.1."}),
    smaller("a Stable Diffusion 1.x of fewer blocks (BK-SDM, Segmind's small and tiny ones)",
            {begin, "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.weight", 1, 768},
            {begin, "time_embedding.linear_1.weight"}, {begin, "down_blocks.0.resnets.1."}),
};

constexpr Twin twin_rows[] = {
    {"flux-dev", "kontext", "dev", {"FLUX.1 Kontext", kontext, {}, {}}},
    {"sdxl-unet", "1step_x0", "", {"SDXL Lightning for one step, which predicts the picture itself", one_step, {}, {}}},
};

struct PipelineRow {
  std::string_view begins;  ///< of the class' name: "StableDiffusion3"
  Relative relative;
};

constexpr PipelineRow pipeline(std::string_view begins, std::string_view title, std::string_view advice) {
  return {begins, {title, advice, {}, {}}};
}

// The first row that fits counts. What diffusers does with the networks of ours stands in none.
constexpr PipelineRow pipelines[] = {
    pipeline("StableDiffusionInstructPix2Pix", "InstructPix2Pix", other_task),
    pipeline("StableDiffusionXLInstructPix2Pix", "InstructPix2Pix for Stable Diffusion XL, or CosXL Edit", other_task),
    pipeline("StableDiffusionInpaint", "Stable Diffusion for inpainting", other_task),
    pipeline("StableDiffusionXLInpaint", "Stable Diffusion XL for inpainting", other_task),
    pipeline("StableDiffusionUpscale", "Stable Diffusion's x4 upscaler", other_family),
    pipeline("StableDiffusionLatentUpscale", "Stable Diffusion's upscaler of latents", other_family),
    pipeline("StableDiffusionDepth2Img", "Stable Diffusion 2 for depth", other_family),
    pipeline("StableDiffusionImageVariation", "Stable Diffusion for variations of a picture", other_task),
    pipeline("StableDiffusionGLIGEN", "GLIGEN", other_task),
    pipeline("StableDiffusionLDM3D", "LDM3D", other_task),
    pipeline("StableDiffusion3", "Stable Diffusion 3", other_family),
    pipeline("StableUnCLIP", "Stable unCLIP", other_family),
    pipeline("StableCascade", "Stable Cascade", other_family),
    pipeline("StableVideoDiffusion", "Stable Video Diffusion", other_family),
    pipeline("LatentConsistencyModel", "a latent consistency model", other_task),
    pipeline("PaintByExample", "Paint by Example", other_task),
    pipeline("Marigold", "Marigold", other_task),
    pipeline("AnimateDiff", "AnimateDiff", other_family),
    pipeline("FluxFill", "FLUX.1 Fill", other_task),
    pipeline("FluxControlNet", "FLUX.1 with a ControlNet", addition),
    pipeline("FluxControl", "FLUX.1 Canny or Depth", other_task),
    pipeline("FluxKontext", "FLUX.1 Kontext", kontext),
    pipeline("FluxPriorRedux", "FLUX.1 Redux", addition),
    pipeline("Flux2", "FLUX.2", other_family),
    pipeline("Chroma", "Chroma", other_family),
    pipeline("Kolors", "Kolors", other_family),
    pipeline("PixArt", "PixArt", other_family),
    pipeline("Sana", "Sana", other_family),
    pipeline("AuraFlow", "AuraFlow", other_family),
    pipeline("HunyuanDiT", "HunyuanDiT", other_family),
    pipeline("HunyuanVideo", "HunyuanVideo", other_family),
    pipeline("QwenImage", "Qwen-Image", other_family),
    pipeline("ZImage", "Z-Image", other_family),
    pipeline("Lumina", "Lumina", other_family),
    pipeline("LTX", "LTX-Video", other_family),
    pipeline("Wan", "Wan", other_family),
};

bool fits(const Relative& relative, std::span<const TensorShape> checkpoint) {
  const auto is_there = [&](const TensorMark& mark) {
    return std::ranges::any_of(checkpoint, [&](const TensorShape& tensor) { return bears(tensor, mark); });
  };
  return std::ranges::all_of(relative.marks,
                             [&](const TensorMark& mark) { return mark.text.empty() || is_there(mark); }) &&
         std::ranges::none_of(relative.lacks,
                              [&](const TensorMark& mark) { return !mark.text.empty() && is_there(mark); });
}

bool say(std::span<const std::string> texts, std::string_view word) {
  return std::ranges::any_of(
      texts, [&](const std::string& text) { return lower_ascii(text).find(word) != std::string::npos; });
}

/// A file of one or two tables as wide as a CLIP text encoder is a textual inversion, whatever its names.
bool is_textual_inversion(std::span<const TensorShape> checkpoint) {
  constexpr std::int64_t widths[] = {768, 1024, 1280};
  return !checkpoint.empty() && checkpoint.size() <= 2 &&
         std::ranges::all_of(checkpoint, [&](const TensorShape& tensor) {
           const bool narrow = tensor.shape.size() == 1 || (tensor.shape.size() == 2 && tensor.shape[0] <= 100);
           return narrow && std::ranges::find(widths, tensor.shape.back()) != std::end(widths);
         });
}

constexpr Relative unmarked_embedding = row("a textual inversion", embedding, {});

}  // namespace

std::span<const Relative> known_relatives() { return relative_rows; }

const Relative* find_marked_relative(std::span<const TensorShape> tensors) {
  const auto* const row =
      std::ranges::find_if(relative_rows, [&](const Relative& each) { return fits(each, tensors); });
  return row == std::end(relative_rows) ? nullptr : row;
}

const Relative* find_relative(std::span<const TensorShape> checkpoint) {
  if (const Relative* relative = find_marked_relative(checkpoint)) return relative;
  return is_textual_inversion(checkpoint) ? &unmarked_embedding : nullptr;
}

std::span<const Twin> twins() { return twin_rows; }

const Relative* find_twin(std::string_view graph, std::span<const std::string> texts) {
  for (const Twin& twin : twin_rows) {
    if (twin.graph == graph && say(texts, twin.word)) return &twin.relative;
  }
  return nullptr;
}

const Relative* undecided_twin(std::string_view graph, std::span<const std::string> texts) {
  for (const Twin& twin : twin_rows) {
    if (twin.graph == graph && !twin.own.empty() && !say(texts, twin.own)) return &twin.relative;
  }
  return nullptr;
}

const Relative* find_pipeline(std::string_view class_name) {
  const auto* const row =
      std::ranges::find_if(pipelines, [&](const PipelineRow& each) { return class_name.starts_with(each.begins); });
  return row == std::end(pipelines) ? nullptr : &row->relative;
}

std::string advice_for(const Relative& relative, const std::string& file) {
  constexpr std::string_view place = "FILE";
  std::string text = marked(relative.advice);
  const std::size_t at = text.find(place);
  return at == std::string::npos ? text : text.replace(at, place.size(), file);
}

}  // namespace lapis::core
