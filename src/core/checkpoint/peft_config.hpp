// What the keys of peft's configuration say of an adapter beyond what its tensors say.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace lapis::core {

/// What a key of the configuration does to an adapter.
enum class PeftEffect {
  heeded,   ///< the key sets a number, or how the tensors are to be read
  none,     ///< the key is about training, about loading, or about where the adapter goes, which tensor names say too
  refused,  ///< where the key is set, the adapter is more than its factors, or is for other weights
};

/// One row per key.
struct PeftKey {
  std::string_view name;  ///< of LoraConfig, LoHaConfig or LoKrConfig (peft 0.21)
  PeftEffect effect;
  std::string_view why;  ///< of what is refused: "it ..."
};

std::span<const PeftKey> peft_keys();

/// The row of a key; null for one that this table has not.
const PeftKey* peft_key(std::string_view name);

/// Why an adapter is refused that was initialised by this value of `init_lora_weights`: one that changed the base
/// weights first. "" for one that left them as they were.
std::string peft_beginning(std::string_view init_lora_weights);

}  // namespace lapis::core
