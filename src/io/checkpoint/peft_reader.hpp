// peft's configuration of an adapter: LoraConfig, LoHaConfig or LoKrConfig as JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/lora_plan.hpp"

namespace lapis::io {

/// What one configuration says.
struct PeftSettings {
  std::vector<core::PeftScale> scales;  ///< of each part that it speaks of
  core::Listing unknown;                ///< keys that no peft up to 0.21 writes, where they say something
};

/// Reads `text`; `what` begins messages. Keys of a pipeline's file begin with a part and a dot ("unet.r"). Throws
/// Error{input} for JSON that is none, for values of another type than peft writes, and for what `core::peft_keys`
/// refuses: adapters of other kinds, those that bring more than their factors, and those for weights that were changed.
PeftSettings read_peft_settings(std::string_view text, const std::string& what);

}  // namespace lapis::io
