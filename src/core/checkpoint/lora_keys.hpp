// How trainers call the tensors of a LoRA: who wrote a name, which module it speaks of, and what the tensor is there.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace lapis::core {

/// A tensor's name in its two halves.
struct LoraKey {
  std::string module;  ///< with what leads to it: "lora_unet_mid_block_attentions_0_proj_in", "unet.mid_block.…"
  std::string role;    ///< what the tensor is to the module, see `lora_roles`

  bool operator==(const LoraKey&) const = default;
};

/// Reads a name; none where it ends in nothing that a LoRA's tensors end in. The forms, `X` the module:
///   kohya      X.lora_down.weight  X.lora_up.weight  X.lora_mid.weight  X.alpha  X.dora_scale  X.diff  X.diff_b
///   diffusers  X.lora.down.weight  X.lora_linear_layer.down.weight  X_lora.down.weight  (of 2023, and XLabs' Flux)
///   peft       X.lora_A.weight  X.lora_B.weight  X.lora_B.bias  X.lora_magnitude_vector; an adapter's name may follow
///   LyCORIS    X.hada_w1_a ... X.hada_t2  X.lokr_w1 ... X.lokr_t2  X.w_norm  X.b_norm
/// Roles: "down", "up", "mid", "alpha", "dora_scale", "magnitude", "diff" (of a norm's weight too), "diff_b",
/// "up_bias", which is scaled as its factors are, and LyCORIS' own ("hada_w1_a").
std::optional<LoraKey> read_lora_key(std::string_view name);

/// One row per way to lead to a module.
struct LoraPrefix {
  std::string_view prefix;
  std::string_view part;  ///< of the model: "denoiser"; "": any
  bool underscored;       ///< '_' stands for '.' in the module's name
};

/// The first rows are the more particular ones; the last one is empty, and leads to any part.
std::span<const LoraPrefix> lora_prefixes();

/// A module's name without its prefix, as the original or diffusers call it today: old attention processors, and
/// XLabs' names of Flux' fused projections, are brought to those.
std::string modern_module(std::string module);

}  // namespace lapis::core
