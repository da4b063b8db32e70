#include "core/family/recipes.hpp"

#include <algorithm>
#include <array>

namespace lapis::core {
namespace {

constexpr int clip_start = 49406;
constexpr int clip_end = 49407;

TokenizerFacts clip_tokenizer(int pad) {
  TokenizerFacts facts;
  facts.start = clip_start;
  facts.end = clip_end;
  facts.pad = pad;
  return facts;
}

TokenizerFacts t5_tokenizer(int length) {
  TokenizerFacts facts;
  facts.kind = TokenizerKind::t5;
  facts.length = length;
  facts.end = 1;
  facts.pad = 0;
  facts.extra_ids = 100;
  return facts;
}

std::map<std::string, std::string> parts(const std::string& denoiser, const std::string& vae, const std::string& text,
                                         const std::string& second_text) {
  std::map<std::string, std::string> parts = {{"denoiser", denoiser},
                                              {"vae_decoder", vae + "-vae-decoder"},
                                              {"vae_encoder", vae + "-vae-encoder"},
                                              {"text_encoder", text}};
  if (!second_text.empty()) parts["text_encoder_2"] = second_text;
  return parts;
}

Defaults defaults(int side, int steps, double guidance) {
  return {.width = side, .height = side, .steps = steps, .sampler = "euler", .guidance = guidance};
}

SamplingFacts flow(FlowShift shift) {
  SamplingFacts facts;
  facts.prediction = Prediction::flow;
  facts.flow_shift = shift;
  return facts;
}

Recipe flux(const std::string& title, const std::string& denoiser, FlowShift shift, Defaults usual, int t5_length) {
  return {.title = title,
          .family = "flux",
          .parts = parts(denoiser, "flux", "clip-l", "t5-xxl"),
          .sampling = flow(shift),
          .defaults = std::move(usual),
          .conditioning = {.zero_empty_negative = false, .rope_axes = {16, 56, 56}},
          .tokenizers = {{"tokenizer", clip_tokenizer(clip_end)}, {"tokenizer_2", t5_tokenizer(t5_length)}},
          .source = "model_index.json, scheduler and transformer configs of FLUX.1"};
}

Recipe refused_recipe(const std::string& title, const std::string& denoiser) {
  return {.title = title,
          .family = "",
          .parts = {{"denoiser", denoiser}},
          .sampling = {},
          .defaults = {},
          .conditioning = {},
          .tokenizers = {},
          .source = ""};
}

}  // namespace

std::span<const Recipe> recipes() {
  static const std::array<Recipe, 6> rows = {{
      {.title = "Stable Diffusion 1.x",
       .family = "sd15",
       .parts = parts("sd15-unet", "sd", "clip-l", ""),
       .sampling = {},
       .defaults = defaults(512, 20, 7.5),
       .conditioning = {},
       .tokenizers = {{"tokenizer", clip_tokenizer(clip_end)}},
       .source = "scheduler_config.json of stable-diffusion-v1-5"},
      {.title = "Stable Diffusion XL",
       .family = "sdxl",
       .parts = parts("sdxl-unet", "sd", "clip-l", "clip-g"),
       .sampling = {},
       .defaults = defaults(1024, 30, 5),
       .conditioning = {.zero_empty_negative = true, .rope_axes = {}},
       .tokenizers = {{"tokenizer", clip_tokenizer(clip_end)}, {"tokenizer_2", clip_tokenizer(0)}},
       .source = "model_index.json and scheduler_config.json of stable-diffusion-xl-base-1.0"},
      flux("FLUX.1 dev", "flux-dev",
           {.dynamic = true, .shift = 1, .base_shift = 0.5, .max_shift = 1.15, .base_tokens = 256, .max_tokens = 4096},
           defaults(1024, 28, 3.5), 512),
      flux("FLUX.1 schnell", "flux-schnell", {.dynamic = false, .shift = 1}, defaults(1024, 4, 1), 256),
      refused_recipe("Stable Diffusion 1.x for inpainting", "sd15-inpaint-unet"),
      refused_recipe("the Stable Diffusion XL refiner", "sdxl-refiner-unet"),
  }};
  return rows;
}

const Recipe* find_recipe(const std::string& denoiser_graph) {
  const std::span<const Recipe> rows = recipes();
  const auto found = std::find_if(rows.begin(), rows.end(),
                                  [&](const Recipe& row) { return row.parts.at("denoiser") == denoiser_graph; });
  return found == rows.end() ? nullptr : &*found;
}

}  // namespace lapis::core
