// What the keys of peft's configurations mean to an adapter whose tensors are at hand.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace lapis::core {

enum class PeftEffect {
  heeded,   ///< it tells a number, or how the tensors are to be taken
  none,     ///< it tells of training, of where the adapter was put, which its tensors' names say again, or of loading
  refused,  ///< where it says something, the adapter is more than its factors, or is for other weights
};

struct PeftKey {
  std::string_view name;  ///< of LoraConfig, LoHaConfig or LoKrConfig (peft 0.21)
  PeftEffect effect;
  std::string_view why;  ///< of what is refused: "it ..."
};

std::span<const PeftKey> peft_keys();

/// The row of a key; null for one that this table has not.
const PeftKey* peft_key(std::string_view name);

/// Why an adapter that began so, with `init_lora_weights`, is refused: its base weights were changed first. "" for a
/// beginning that left them as they were.
std::string peft_beginning(std::string_view init_lora_weights);

}  // namespace lapis::core
