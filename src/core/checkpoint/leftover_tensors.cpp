#include "core/checkpoint/leftover_tensors.hpp"

#include <algorithm>
#include <set>

#include "core/checkpoint/known_relatives.hpp"
#include "core/checkpoint/sampling_claims.hpp"
#include "core/text/sentence.hpp"

namespace lapis::core {
namespace {

using enum Where;

/// The rest of a checkpoint means the same without them.
constexpr TensorMark harmless[] = {
    // A moving average of the weights, from training.
    {begin, "model_ema."},
    // The diffusion process of training, as numbers.
    {whole, "betas"},
    {begin, "alphas_cumprod"},
    {begin, "sqrt_alphas_cumprod"},
    {begin, "sqrt_one_minus_alphas_cumprod"},
    {begin, "log_one_minus_alphas_cumprod"},
    {begin, "sqrt_recip_alphas_cumprod"},
    {begin, "sqrt_recipm1_alphas_cumprod"},
    {begin, "posterior_"},
    {whole, "denoiser.sigmas"},
    {whole, "logvar"},
    {whole, "lvlb_weights"},
    // The state of a trainer.
    {begin, "optimizer"},
    {begin, "lr_scheduler"},
    {begin, "callbacks"},
    {whole, "global_step"},
    {whole, "epoch"},
    {begin, "loss."},
    {begin, "first_stage_model.loss."},
    // The checker of pictures that other programs run.
    {begin, "safety_checker."},
    // The numbers 0, 1, 2, ... as a table.
    {end, "position_ids"},
    // The mask of a text encoder, which its graph has.
    {end, ".attn_mask"},
    // What CLIP compares texts and pictures with.
    {end, "logit_scale"},
    {end, "logit_bias"},
    {end, "text_projection"},
    {end, "text_projection.weight"},
    {begin, "visual_projection."},
    // CLIP's other half, which reads pictures.
    {begin, "vision_model."},
    {begin, "visual."},
    {inside, ".vision_model."},
    {inside, ".model.visual."},
    // The token table under a second name.
    {end, "encoder.embed_tokens.weight"},
    {end, "decoder.embed_tokens.weight"},
    // T5's other half, which writes text.
    {begin, "decoder.block."},
    {begin, "decoder.final_layer_norm."},
    {whole, "lm_head.weight"},
    // T5's tokenizer, as bytes.
    {end, ".spiece_model"},
};

bool begins_one_of(const std::string& name, std::span<const std::string> beginnings) {
  return std::ranges::any_of(beginnings, [&](const std::string& each) { return name.starts_with(each); });
}

}  // namespace

std::span<const TensorMark> harmless_leftovers() { return harmless; }

std::vector<std::string> realm_of(const GraphMatch& match, const KnownGraph& graph) {
  if (!match.prefix.empty() || graph.part == "denoiser") return {match.prefix};
  std::set<std::string> levels;
  for (const TensorShape& tensor : checkpoint_tensors(match.key_scheme, graph.tensors)) {
    const std::size_t dot = tensor.name.find('.');
    if (dot != std::string::npos) levels.insert(tensor.name.substr(0, dot + 1));
  }
  return {levels.begin(), levels.end()};
}

std::optional<LeftoverFault> leftover_fault(std::span<const TensorShape> leftovers, std::span<const std::string> realms,
                                            const std::string& file) {
  std::vector<TensorShape> unruled;
  for (const TensorShape& tensor : leftovers) {
    const bool is_harmless = std::ranges::any_of(harmless, [&](const TensorMark& mark) { return bears(tensor, mark); });
    if (!is_harmless && !is_sampling_mark(tensor.name)) unruled.push_back(tensor);
  }
  if (const Relative* relative = find_marked_relative(unruled)) {
    const auto bearer = std::ranges::find_if(
        unruled, [&](const TensorShape& tensor) { return bears(tensor, relative->marks.front()); });
    return LeftoverFault{sentence(" holds {}, and is {}.", bearer->name, relative->title), advice_for(*relative, file)};
  }
  const auto unknown =
      std::ranges::find_if(unruled, [&](const TensorShape& tensor) { return begins_one_of(tensor.name, realms); });
  if (unknown == unruled.end()) return std::nullopt;
  return LeftoverFault{
      sentence(" holds {}, for which no graph that lapis knows has a place: without it the rest may not be what was "
               "trained.",
               unknown->name),
      "Take another export of it; where that tensor means nothing, save the file without it"};
}

}  // namespace lapis::core
