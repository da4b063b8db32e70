#include "core/checkpoint/peft_config.hpp"

#include <algorithm>
#include <array>

#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"

namespace lapis::core {
namespace {

using enum PeftEffect;

constexpr std::array peft_key_rows = {
    PeftKey{"peft_type", heeded, ""},
    PeftKey{"r", heeded, ""},
    PeftKey{"lora_alpha", heeded, ""},
    PeftKey{"alpha", heeded, ""},
    PeftKey{"rank_pattern", heeded, ""},
    PeftKey{"alpha_pattern", heeded, ""},
    PeftKey{"use_rslora", heeded, ""},
    PeftKey{"init_lora_weights", heeded, ""},
    PeftKey{"use_dora", heeded, ""},
    PeftKey{"lora_bias", heeded, ""},
    PeftKey{"decompose_both", none, ""},  // its tensors say so, as they do of the next two
    PeftKey{"decompose_factor", none, ""},
    PeftKey{"use_effective_conv2d", none, ""},
    PeftKey{"task_type", none, ""},
    PeftKey{"auto_mapping", none, ""},
    PeftKey{"peft_version", none, ""},
    PeftKey{"base_model_name_or_path", none, ""},
    PeftKey{"revision", none, ""},
    PeftKey{"inference_mode", none, ""},
    PeftKey{"target_modules", none, ""},
    PeftKey{"exclude_modules", none, ""},
    PeftKey{"layers_to_transform", none, ""},
    PeftKey{"layers_pattern", none, ""},
    PeftKey{"lora_dropout", none, ""},
    PeftKey{"rank_dropout", none, ""},
    PeftKey{"rank_dropout_scale", none, ""},
    PeftKey{"module_dropout", none, ""},
    PeftKey{"init_weights", none, ""},
    PeftKey{"fan_in_fan_out", none, ""},  // peft turns it off for a linear layer
    PeftKey{"megatron_config", none, ""},
    PeftKey{"megatron_core", none, ""},
    PeftKey{"loftq_config", none, ""},  // of init_lora_weights "loftq", as the next three are of theirs
    PeftKey{"eva_config", none, ""},
    PeftKey{"corda_config", none, ""},
    PeftKey{"lora_ga_config", none, ""},
    PeftKey{"velora_config", none, ""},  // what is kept for the way back in training
    PeftKey{"qalora_group_size", none, ""},
    PeftKey{"runtime_config", none, ""},
    PeftKey{"ensure_weight_tying", none, ""},
    PeftKey{"bias", refused, "it trains the model's own biases too"},
    PeftKey{"modules_to_save", refused, "it brings whole layers beside its factors"},
    PeftKey{"target_parameters", refused, "it is for parameters that are no layer's weight"},
    PeftKey{"trainable_token_indices", refused, "it trains single tokens of an embedding table"},
    PeftKey{"layer_replication", refused, "it is for a model whose layers were doubled"},
    PeftKey{"alora_invocation_tokens", refused, "it works from some token of a prompt on (aLoRA)"},
    PeftKey{"use_qalora", refused, "it reads its inputs in groups (QA-LoRA)"},
    PeftKey{"monteclora_config", refused, "it draws its factors at random (MonteCLoRA)"},
    PeftKey{"use_bdlora", refused, "its factors are blocks (BD-LoRA)"},
    PeftKey{"arrow_config", refused, "it chooses among adapters for every input (Arrow)"},
    PeftKey{"kasa_config", refused, "it is for weights that lost their smallest part (KaSA)"},
};

struct Beginning {
  std::string_view name;  ///< how it begins
  std::string_view title;
};

/// Initialisations that take something out of the base weights, to which the factors are added again.
constexpr std::array changing = {Beginning{"pissa", "PiSSA"}, Beginning{"olora", "OLoRA"}, Beginning{"corda", "CorDA"},
                                 Beginning{"loftq", "LoftQ"}, Beginning{"lora_ga", "LoRA-GA"}};

constexpr std::array<std::string_view, 4> keeping = {"gaussian", "eva", "orthogonal", "mica"};

}  // namespace

std::span<const PeftKey> peft_keys() { return peft_key_rows; }

const PeftKey* peft_key(std::string_view name) {
  const auto row = std::ranges::find(peft_key_rows, name, &PeftKey::name);
  return row == peft_key_rows.end() ? nullptr : &*row;
}

std::string peft_beginning(std::string_view init_lora_weights) {
  const std::string name = lower_ascii(init_lora_weights);  // peft takes some of them in any case
  if (std::ranges::find(keeping, name) != keeping.end()) return "";
  for (const Beginning& row : changing) {
    if (name.starts_with(row.name)) {
      return sentence("it was begun by {}, which changes the model's own weights first", row.title);
    }
  }
  return "it was begun in a way that lapis does not know";
}

}  // namespace lapis::core
