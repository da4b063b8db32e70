#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/checkpoint/leftover_tensors.hpp"

using namespace lapis::core;

namespace {

const std::vector<std::string> realms = {"model.diffusion_model.", "first_stage_model.",
                                         "cond_stage_model.transformer."};

std::string fault_of(const std::string& name) {
  const std::vector<TensorShape> tensors = {{name, {768}}};
  const std::optional<LeftoverFault> fault = leftover_fault(tensors, realms, "a.safetensors");
  return fault ? fault->problem + "\n" + fault->advice : "";
}

}  // namespace

TEST_CASE("leftovers that mean nothing pass") {
  for (const char* name : {
           "model_ema.diffusion_modelinput_blocks00weight",
           "model_ema.decay",
           "betas",
           "alphas_cumprod",
           "alphas_cumprod_prev",
           "sqrt_recipm1_alphas_cumprod",
           "posterior_mean_coef1",
           "denoiser.sigmas",
           "first_stage_model.loss.discriminator.main.0.weight",
           "cond_stage_model.transformer.text_model.embeddings.position_ids",
           "cond_stage_model.transformer.vision_model.embeddings.class_embedding",
           "cond_stage_model.transformer.text_projection.weight",
           "conditioner.embedders.1.model.logit_scale",
           "conditioner.embedders.1.model.attn_mask",
           "text_encoders.t5xxl.transformer.encoder.embed_tokens.weight",
           "decoder.block.0.layer.0.SelfAttention.q.weight",
           "lm_head.weight",
           "optimizer_states.0",
           "something.else",
       }) {
    CAPTURE(name);
    CHECK(fault_of(name) == "");
  }
}

TEST_CASE("leftovers that change what the rest means are refused by name") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"edm_mean", "Playground 2.5"},
      {"model.diffusion_model.time_embed.cond_proj.weight", "a latent consistency model"},
      {"model.diffusion_model.input_blocks.1.1.transformer_blocks.0.fuser.alpha_attn", "GLIGEN"},
      {"position_net.linears.0.weight", "GLIGEN"},
      {"down_blocks.0.motion_modules.0.temporal_transformer.norm.weight", "AnimateDiff's motion modules"},
      {"control_model.time_embed.0.weight", "a ControlNet"},
      {"ip_adapter.1.to_k_ip.weight", "an IP-Adapter"},
      {"lora_unet_down_blocks_0_attentions_0_proj_in.lora_down.weight", "a LoRA"},
      {"model.diffusion_model.input_blocks.1.1.proj_in.weight.quant_state.bitsandbytes__nf4", "bitsandbytes"},
      {"model.diffusion_model.label_emb.0.0.weight", "no graph that lapis knows has a place"},
      {"cond_stage_model.transformer.text_model.adapter.weight", "no graph that lapis knows has a place"},
  };
  for (const auto& [name, title] : cases) {
    CAPTURE(name);
    const std::string fault = fault_of(name);
    CHECK(fault.find(title) != std::string::npos);
    CHECK(fault.find(name) != std::string::npos);
    CHECK(fault.find('\n') != std::string::npos);
  }
}

TEST_CASE("every mark of a harmless leftover lets its tensor pass, and one that says how to sample passes too") {
  for (const TensorMark& mark : harmless_leftovers()) {
    const std::string text(mark.text);
    const std::string name = mark.where == Where::begin    ? text + "0"
                             : mark.where == Where::end    ? realms[0] + text
                             : mark.where == Where::inside ? realms[0] + text + "0"
                                                           : text;
    CAPTURE(name);
    CHECK(fault_of(name).empty());
  }
  for (const char* name : {"v_pred", "ztsnr", "edm_vpred.sigma_max"}) CHECK(fault_of(name).empty());
}

TEST_CASE("the realm of a part is its prefix, or the levels that its names have, and all of a denoiser's file") {
  const KnownGraph graph{"unet", "denoiser", {{"down_blocks.0.conv.weight", {1}}, {"conv_in.weight", {1}}}};
  GraphMatch match;
  match.prefix = "unet.";
  CHECK(realm_of(match, graph) == std::vector<std::string>{"unet."});
  match.prefix = "";
  CHECK(realm_of(match, graph) == std::vector<std::string>{""});
  const KnownGraph vae{"vae", "vae_decoder", {{"decoder.conv.weight", {1}}, {"post_quant_conv.weight", {1}}}};
  CHECK(realm_of(match, vae) == std::vector<std::string>{"decoder.", "post_quant_conv."});
}

TEST_CASE("beside a denoiser that stands alone every tensor that nobody knows is of it") {
  const std::vector<std::string> complete = {""};
  const auto passes = [&](const char* name) {
    const std::vector<TensorShape> tensors = {{name, {4}}};
    return !leftover_fault(tensors, complete, "a.safetensors");
  };
  for (const char* name : {"class_embedding.linear_1.weight", "add_embedding.linear_1.weight", "label_emb.0.0.weight",
                           "time_embed_extra.weight", "unet.v_pred"}) {
    CAPTURE(name);
    CHECK_FALSE(passes(name));
  }
  for (const char* name : {"model_ema.decay", "betas", "v_pred", "optimizer.state"}) CHECK(passes(name));
}
