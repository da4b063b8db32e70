#include "core/checkpoint/lora_keys.hpp"

#include <array>
#include <cstddef>

namespace lapis::core {
namespace {

struct Ending {
  std::string_view ending;
  std::string_view role;
};

// The first row that fits counts: what contains others' endings stands before them.
constexpr std::array role_endings = {
    Ending{".lora_down.weight", "down"},
    Ending{".lora_up.weight", "up"},
    Ending{".lora_mid.weight", "mid"},
    Ending{".lora_linear_layer.down.weight", "down"},
    Ending{".lora_linear_layer.up.weight", "up"},
    Ending{".lora.down.weight", "down"},
    Ending{".lora.up.weight", "up"},
    Ending{"_lora.down.weight", "down"},
    Ending{"_lora.up.weight", "up"},
    Ending{"_lora1.down.weight", "down"},
    Ending{"_lora1.up.weight", "up"},
    Ending{"_lora2.down.weight", "down"},
    Ending{"_lora2.up.weight", "up"},
    Ending{"_lora.alpha", "alpha"},
    Ending{".alpha", "alpha"},
    Ending{".dora_scale", "dora_scale"},
    Ending{".diff", "diff"},
    Ending{".diff_b", "diff_b"},
    Ending{".w_norm", "diff"},
    Ending{".b_norm", "diff_b"},
    Ending{".lora_up.bias", "up_bias"},
    Ending{".lora.up.bias", "up_bias"},
};

/// Names that peft writes, behind which an adapter's name may stand, and "weight", or "bias" of the second factor.
constexpr std::array peft_marks = {
    Ending{".lora_A", "down"},         Ending{".lora_B", "up"},           Ending{".lora_magnitude_vector", "magnitude"},
    Ending{".hada_w1_a", "hada_w1_a"}, Ending{".hada_w1_b", "hada_w1_b"}, Ending{".hada_w2_a", "hada_w2_a"},
    Ending{".hada_w2_b", "hada_w2_b"}, Ending{".hada_t1", "hada_t1"},     Ending{".hada_t2", "hada_t2"},
    Ending{".lokr_w1_a", "lokr_w1_a"}, Ending{".lokr_w1_b", "lokr_w1_b"}, Ending{".lokr_w1", "lokr_w1"},
    Ending{".lokr_w2_a", "lokr_w2_a"}, Ending{".lokr_w2_b", "lokr_w2_b"}, Ending{".lokr_w2", "lokr_w2"},
    Ending{".lokr_t2", "lokr_t2"},
};

/// Takes `ending` off `tail`.
bool take_end(std::string_view& tail, std::string_view ending) {
  const bool there = tail.ends_with(ending);
  if (there) tail.remove_suffix(ending.size());
  return there;
}

/// "" or ".default".
bool is_adapter(std::string_view tail) {
  return tail.empty() || (tail.size() > 1 && tail.front() == '.' && tail.find('.', 1) == std::string_view::npos);
}

struct Renamed {
  std::string_view from;
  std::string_view to;
};

constexpr std::array old_names = {
    Renamed{".processor.qkv_lora1", ".img_attn.qkv"},
    Renamed{".processor.qkv_lora2", ".txt_attn.qkv"},
    Renamed{".processor.proj_lora1", ".img_attn.proj"},
    Renamed{".processor.proj_lora2", ".txt_attn.proj"},
    Renamed{".processor.qkv", ".linear1.qkv"},
    Renamed{".processor.proj", ".linear2"},
    Renamed{".processor.", "."},
    Renamed{".self_attn.to_q", ".self_attn.q_proj"},
    Renamed{".self_attn.to_k", ".self_attn.k_proj"},
    Renamed{".self_attn.to_v", ".self_attn.v_proj"},
    Renamed{".self_attn.to_out", ".self_attn.out_proj"},
};

constexpr std::array prefixes = {
    LoraPrefix{"lora_unet_", "denoiser", true},
    LoraPrefix{"lora_transformer_", "denoiser", true},
    LoraPrefix{"lora_te1_", "text_encoder", true},
    LoraPrefix{"lora_te2_", "text_encoder_2", true},
    LoraPrefix{"lora_te3_", "text_encoder_2", true},
    LoraPrefix{"lora_te_", "text_encoder", true},
    LoraPrefix{"lycoris_", "", true},
    LoraPrefix{"base_model.model.unet.", "denoiser", false},
    LoraPrefix{"base_model.model.transformer.", "denoiser", false},
    LoraPrefix{"base_model.model.text_encoder.", "text_encoder", false},
    LoraPrefix{"base_model.model.text_encoder_2.", "text_encoder_2", false},
    LoraPrefix{"base_model.model.", "", false},
    LoraPrefix{"unet.", "denoiser", false},
    LoraPrefix{"transformer.", "denoiser", false},
    LoraPrefix{"diffusion_model.", "denoiser", false},
    LoraPrefix{"model.diffusion_model.", "denoiser", false},
    LoraPrefix{"text_encoder.", "text_encoder", false},
    LoraPrefix{"text_encoder_2.", "text_encoder_2", false},
    LoraPrefix{"clip_l.", "text_encoder", false},
    LoraPrefix{"clip_g.", "text_encoder_2", false},
    LoraPrefix{"t5.", "text_encoder_2", false},
    LoraPrefix{"text_encoders.clip_l.transformer.", "text_encoder", false},
    LoraPrefix{"text_encoders.clip_g.transformer.", "text_encoder_2", false},
    LoraPrefix{"text_encoders.t5xxl.transformer.", "text_encoder_2", false},
    LoraPrefix{"", "", false},
};

}  // namespace

std::optional<LoraKey> read_lora_key(std::string_view name) {
  for (const Ending& row : role_endings) {
    if (!name.ends_with(row.ending) || name.size() == row.ending.size()) continue;
    std::string_view module = name.substr(0, name.size() - row.ending.size());
    // XLabs tells its two streams by this number: it stays with the module.
    const std::size_t numbered = row.ending.find("_lora1");
    const std::size_t other = row.ending.find("_lora2");
    if (numbered == 0 || other == 0) module = name.substr(0, module.size() + std::string_view("_lora1").size());
    return LoraKey{std::string(module), std::string(row.role)};
  }
  for (const Ending& row : peft_marks) {
    const std::size_t at = name.rfind(row.ending);
    if (at == std::string_view::npos || at == 0) continue;
    std::string_view tail = name.substr(at + row.ending.size());
    const bool bias = take_end(tail, ".bias");
    if (!bias) take_end(tail, ".weight");
    if (!is_adapter(tail) || (bias && row.role != "up")) continue;
    return LoraKey{std::string(name.substr(0, at)), bias ? "up_bias" : std::string(row.role)};
  }
  return std::nullopt;
}

std::span<const LoraPrefix> lora_prefixes() { return prefixes; }

std::string modern_module(std::string module) {
  for (const auto& [from, to] : old_names) {
    const std::size_t at = module.find(from);
    if (at != std::string::npos) module.replace(at, from.size(), to);
  }
  if (module.ends_with(".to_out")) module += ".0";
  return module;
}

}  // namespace lapis::core
