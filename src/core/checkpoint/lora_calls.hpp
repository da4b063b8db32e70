// How users ask for LoRAs: arguments of --lora, and <lora:...> in prompts of the web UI's syntax.
#pragma once

#include <string>
#include <string_view>

#include "core/checkpoint/lora_plan.hpp"

namespace lapis::core {

/// One LoRA that a job asks for.
struct LoraCall {
  std::string name;  ///< a file, or the name of one
  LoraWeight weight;
  bool operator==(const LoraCall&) const = default;
};

/// "FILE" or "FILE:WEIGHT": the weight is what follows the last colon, if that is a number; 1 where there is none.
/// Throws Error{usage} for an empty name and a weight that is not finite.
LoraCall parse_lora_argument(std::string_view text);

/// What stands between "<lora:" and ">", as the web UI reads it (extensions-builtin/Lora/extra_networks_lora.py):
/// "NAME", "NAME:WEIGHT" or "NAME:TEXT_ENCODER:UNET", where "te=" and "unet=" may name the weights. Throws Error{usage}
/// with a clause alone for anything else.
LoraCall parse_lora_tag(std::string_view text);

/// "style:0.8", as a job records it; `parse_lora_argument` reads it back.
std::string lora_argument(std::string_view name, double weight);

/// "<lora:style:0.8>", or with both weights where they differ.
std::string lora_tag(std::string_view name, const LoraWeight& weight);

}  // namespace lapis::core
