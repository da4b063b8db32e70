#include "core/family/families.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "lapis/error.hpp"

namespace lapis::core {
namespace {

// clang-format off
/// CLIP's hidden states from the embeddings to the last layer, as they are and after the final norm.
PartRow clip_encoder(const std::string& name) {
  return {name, true,
          {{"ids",    "i64",   {"batch", "tokens"}}},
          {{"states", "model", {"layers", "batch", "tokens", "width"}},
           {"normed", "model", {"layers", "batch", "tokens", "width"}},
           {"pooled", "model", {"batch", "pooled_width"}}}};
}

/// A CLIP encoder of families that read the last layer alone: what transformers' CLIPTextModel gives will do.
PartRow last_layer_encoder(const std::string& name) {
  PartRow row = clip_encoder(name);
  const Port last = {"last", "model", {"batch", "tokens", "width"}};
  row.reduced_outputs = {{last}, {last, {"pooled", "model", {"batch", "pooled_width"}}}};
  return row;
}

PartRow vae_decoder(std::int64_t channels) {
  return {"vae_decoder", true,
          {{"latent",  "model", {"batch", channels, "height", "width"}}},
          {{"picture", "model", {"batch", 3, "8*height", "8*width"}}}};
}

PartRow vae_encoder(std::int64_t channels) {
  return {"vae_encoder", false,
          {{"picture", "model", {"batch", 3, "height", "width"}}},
          {{"mean",    "model", {"batch", channels, "height/8", "width/8"}},
           {"logvar",  "model", {"batch", channels, "height/8", "width/8"}}}};
}

std::vector<PartRow> sd15_parts() {
  return {
      last_layer_encoder("text_encoder"),
      {"denoiser", true,
       {{"sample",      "model", {"batch", 4, "height", "width"}},
        {"timestep",    "f32",   {"batch"}},
        {"context",     "model", {"batch", "tokens", "width"}}},
       {{"prediction",  "model", {"batch", 4, "height", "width"}}}},
      vae_decoder(4),
      vae_encoder(4),
  };
}

std::vector<PartRow> sdxl_parts() {
  return {
      clip_encoder("text_encoder"),
      clip_encoder("text_encoder_2"),
      {"denoiser", true,
       {{"sample",      "model", {"batch", 4, "height", "width"}},
        {"timestep",    "f32",   {"batch"}},
        {"context",     "model", {"batch", "tokens", "width"}},
        {"pooled",      "model", {"batch", "pooled_width"}},
        {"time_ids",    "f32",   {"batch", 6}}},
       {{"prediction",  "model", {"batch", 4, "height", "width"}}}},
      vae_decoder(4),
      vae_encoder(4),
  };
}

std::vector<PartRow> flux_parts() {
  return {
      clip_encoder("text_encoder"),
      {"text_encoder_2", true,
       {{"ids",         "i64",   {"batch", "tokens"}}},
       {{"last",        "model", {"batch", "tokens", "width"}}}},
      {"denoiser", true,
       {{"sample",      "model", {"batch", "image_tokens", 64}},
        {"timestep",    "f32",   {"batch"}},
        {"context",     "model", {"batch", "text_tokens", "width"}},
        {"pooled",      "model", {"batch", "pooled_width"}},
        {"rope_cos",    "f32",   {"all_tokens", "head_dim"}},
        {"rope_sin",    "f32",   {"all_tokens", "head_dim"}}},
       {{"prediction",  "model", {"batch", "image_tokens", 64}}},
       {{"guidance",    "f32",   {"batch"}}}},
      vae_decoder(16),
      vae_encoder(16),
  };
}
// clang-format on

/// A family of the sd15 architecture, whatever its training.
FamilyRow sd15_family(const std::string& name, const std::string& space) {
  return {
      .name = name,
      .architecture = Architecture::sd15,
      .space = space,
      .patch = 1,
      .size_multiple = 8,
      .predictions = {Prediction::epsilon, Prediction::v},
      .guidance = GuidanceKind::passes,
      .clip_skip = 1,
      .size_conditioning = false,
      .tokenizers = {{"tokenizer", TokenizerKind::clip}},
      .parts = sd15_parts(),
      .shared_sizes = {{{{"text_encoder", "normed", 3}}, {"denoiser", "context", 2}},
                       {{{"text_encoder", "last", 2}}, {"denoiser", "context", 2}}},
  };
}

FamilyRow sdxl_family() {
  return {
      .name = "sdxl",
      .architecture = Architecture::sdxl,
      .space = "sdxl",
      .patch = 1,
      .size_multiple = 8,
      .predictions = {Prediction::epsilon, Prediction::v},
      .guidance = GuidanceKind::passes,
      .clip_skip = 2,
      .size_conditioning = true,
      .tokenizers = {{"tokenizer", TokenizerKind::clip}, {"tokenizer_2", TokenizerKind::clip}},
      .parts = sdxl_parts(),
      .shared_sizes = {{{{"text_encoder", "states", 3}, {"text_encoder_2", "states", 3}}, {"denoiser", "context", 2}},
                       {{{"text_encoder_2", "pooled", 1}}, {"denoiser", "pooled", 1}}},
  };
}

FamilyRow flux_family() {
  return {
      .name = "flux",
      .architecture = Architecture::flux,
      .space = "flux",
      .patch = 2,
      .size_multiple = 16,
      .predictions = {Prediction::flow},
      .guidance = GuidanceKind::input,
      .clip_skip = 0,
      .size_conditioning = false,
      .tokenizers = {{"tokenizer", TokenizerKind::clip}, {"tokenizer_2", TokenizerKind::t5}},
      .parts = flux_parts(),
      .shared_sizes = {{{{"text_encoder_2", "last", 2}}, {"denoiser", "context", 2}},
                       {{{"text_encoder", "pooled", 1}}, {"denoiser", "pooled", 1}},
                       {{{"denoiser", "rope_cos", 1}}, {"denoiser", "rope_sin", 1}}},
  };
}

}  // namespace

std::span<const FamilyRow> families() {
  static const std::array<FamilyRow, 4> rows = {
      {sd15_family("sd15", "sd15"), sd15_family("sd2", "sd2"), sdxl_family(), flux_family()}};
  return rows;
}

const FamilyRow* find_family(std::string_view name) {
  const auto row = std::ranges::find(families(), name, &FamilyRow::name);
  return row == families().end() ? nullptr : &*row;
}

const PartRow* find_part(const FamilyRow& family, std::string_view name) {
  const auto row = std::ranges::find(family.parts, name, &PartRow::name);
  return row == family.parts.end() ? nullptr : &*row;
}

bool has_guidance_input(const Model& model) {
  const auto denoiser = model.parts.find("denoiser");
  if (denoiser == model.parts.end()) return false;
  const std::vector<Port>& inputs = denoiser->second.inputs;
  return std::any_of(inputs.begin(), inputs.end(), [](const Port& port) { return port.name == "guidance"; });
}

int token_side(const Model& model) {
  const FamilyRow* family = find_family(model.family);
  if (family == nullptr) throw Error(ErrorKind::internal, "token_side: the model has not been checked");
  return model.space.downscale * family->patch;
}

int picture_tokens(const Model& model, int width, int height) {
  const int side = token_side(model);
  return (width / side) * (height / side);
}

std::string_view prediction_name(Prediction prediction) {
  switch (prediction) {
    case Prediction::epsilon: return "epsilon";
    case Prediction::v: return "v";
    case Prediction::flow: return "flow";
  }
  throw Error(ErrorKind::internal, "unknown prediction");
}

std::size_t prompt_tokens(const TokenizerFacts& facts) {
  return static_cast<std::size_t>(facts.length) - (facts.kind == TokenizerKind::clip ? 2 : 1);
}

std::string_view tokenizer_kind_name(TokenizerKind kind) {
  switch (kind) {
    case TokenizerKind::clip: return "clip";
    case TokenizerKind::t5: return "t5";
  }
  throw Error(ErrorKind::internal, "unknown kind of tokenizer");
}

}  // namespace lapis::core
