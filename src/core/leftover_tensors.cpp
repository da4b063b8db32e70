#include "core/leftover_tensors.hpp"

#include <algorithm>
#include <set>

#include "core/known_relatives.hpp"

namespace lapis::core {
namespace {

constexpr std::string_view averages = "a moving average of the weights, from training";
constexpr std::string_view process = "the diffusion process of training, as numbers";
constexpr std::string_view trainer = "the state of a trainer";
constexpr std::string_view places = "the numbers 0, 1, 2, ... as a table";
constexpr std::string_view picture_half = "CLIP's other half, which reads pictures";
constexpr std::string_view text_decoder = "T5's other half, which writes text";
constexpr std::string_view clip_score = "what CLIP compares texts and pictures with";
constexpr std::string_view second_name = "the token table under a second name";
constexpr std::string_view prediction = "what its network predicts, and on which schedule";

using enum Where;
using enum Leftover;

constexpr LeftoverRow rows[] = {
    {harmless, {begin, "model_ema."}, averages},
    {harmless, {whole, "betas"}, process},
    {harmless, {begin, "alphas_cumprod"}, process},
    {harmless, {begin, "sqrt_alphas_cumprod"}, process},
    {harmless, {begin, "sqrt_one_minus_alphas_cumprod"}, process},
    {harmless, {begin, "log_one_minus_alphas_cumprod"}, process},
    {harmless, {begin, "sqrt_recip_alphas_cumprod"}, process},
    {harmless, {begin, "sqrt_recipm1_alphas_cumprod"}, process},
    {harmless, {begin, "posterior_"}, process},
    {harmless, {whole, "denoiser.sigmas"}, process},
    {harmless, {whole, "logvar"}, process},
    {harmless, {whole, "lvlb_weights"}, process},
    {harmless, {begin, "optimizer"}, trainer},
    {harmless, {begin, "lr_scheduler"}, trainer},
    {harmless, {begin, "callbacks"}, trainer},
    {harmless, {whole, "global_step"}, trainer},
    {harmless, {whole, "epoch"}, trainer},
    {harmless, {begin, "loss."}, trainer},
    {harmless, {begin, "first_stage_model.loss."}, trainer},
    {harmless, {begin, "safety_checker."}, "the checker of pictures that other programs run"},
    {harmless, {end, "position_ids"}, places},
    {harmless, {end, ".attn_mask"}, "the mask of a text encoder, which its graph has"},
    {harmless, {end, "logit_scale"}, clip_score},
    {harmless, {end, "logit_bias"}, clip_score},
    {harmless, {end, "text_projection"}, clip_score},
    {harmless, {end, "text_projection.weight"}, clip_score},
    {harmless, {begin, "visual_projection."}, clip_score},
    {harmless, {begin, "vision_model."}, picture_half},
    {harmless, {begin, "visual."}, picture_half},
    {harmless, {inside, ".vision_model."}, picture_half},
    {harmless, {inside, ".model.visual."}, picture_half},
    {harmless, {end, "encoder.embed_tokens.weight"}, second_name},
    {harmless, {end, "decoder.embed_tokens.weight"}, second_name},
    {harmless, {begin, "decoder.block."}, text_decoder},
    {harmless, {begin, "decoder.final_layer_norm."}, text_decoder},
    {harmless, {whole, "lm_head.weight"}, text_decoder},
    {harmless, {end, ".spiece_model"}, "T5's tokenizer, as bytes"},
    // core/sampling_claims.hpp heeds them.
    {heeded, {whole, "v_pred"}, prediction},
    {heeded, {whole, "ztsnr"}, prediction},
    {heeded, {begin, "edm_vpred."}, prediction},
};

bool begins_one_of(const std::string& name, std::span<const std::string> beginnings) {
  return std::ranges::any_of(beginnings, [&](const std::string& each) { return name.starts_with(each); });
}

}  // namespace

std::span<const LeftoverRow> leftover_rows() { return rows; }

const LeftoverRow* find_leftover_row(const TensorShape& tensor) {
  const auto* const row = std::ranges::find_if(rows, [&](const LeftoverRow& each) { return bears(tensor, each.mark); });
  return row == std::end(rows) ? nullptr : row;
}

std::vector<std::string> realm_of(const HeldGraph& held, const KnownGraph& graph) {
  if (!held.prefix.empty()) return {held.prefix};
  std::set<std::string> levels;
  for (const TensorShape& tensor : checkpoint_tensors(held.naming, graph.tensors)) {
    const std::size_t dot = tensor.name.find('.');
    if (dot != std::string::npos) levels.insert(tensor.name.substr(0, dot + 1));
  }
  return {levels.begin(), levels.end()};
}

std::optional<LeftoverFault> leftover_fault(std::span<const TensorShape> leftovers, std::span<const std::string> realms,
                                            const std::string& file) {
  std::vector<TensorShape> unruled;
  for (const TensorShape& tensor : leftovers) {
    const LeftoverRow* row = find_leftover_row(tensor);
    if (row == nullptr) unruled.push_back(tensor);
    if (row == nullptr || row->kind != refused) continue;
    return LeftoverFault{
        " holds " + tensor.name + ", " + std::string(row->what) + ": without it the rest is not what was trained.",
        std::string(row->advice)};
  }
  if (const Relative* relative = find_marked_relative(unruled)) {
    const auto bearer = std::ranges::find_if(
        unruled, [&](const TensorShape& tensor) { return bears(tensor, relative->marks.front()); });
    return LeftoverFault{" holds " + bearer->name + ", and is " + std::string(relative->title) + ".",
                         advice_for(*relative, file)};
  }
  const auto unknown =
      std::ranges::find_if(unruled, [&](const TensorShape& tensor) { return begins_one_of(tensor.name, realms); });
  if (unknown == unruled.end()) return std::nullopt;
  return LeftoverFault{
      " holds " + unknown->name +
          ", for which no graph that lapis knows has a place: without it the rest may not be what was trained.",
      "Take another export of it; where that tensor means nothing, save the file without it"};
}

}  // namespace lapis::core
