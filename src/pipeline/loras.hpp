// The LoRAs of a job, from what a user says to what a model gets.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/checkpoint/lora_calls.hpp"
#include "lapis/attachments.hpp"
#include "lapis/job.hpp"
#include "lapis/model.hpp"

namespace lapis::pipeline {

/// What a job asks for, and where names are looked up.
struct LoraRequest {
  std::vector<std::string> arguments;           ///< of --lora
  std::span<const core::LoraCall> calls;        ///< of the prompt
  std::vector<std::string> folders;             ///< of --lora-dir, searched before `lora_places`
  std::map<std::string, std::string> recorded;  ///< sha256 by name, of those that a latent was made with
  std::string latent;                           ///< that records the arguments; "" where the user gave them
};

/// Adds them to `attachments`, the arguments first, in their order, and the arguments' names to `job`. Returns
/// warnings: of tensors that speak of nothing in `model`. Throws what `io::find_lora`, `io::lora_model` and
/// `io::add_lora` do, and Error{usage} for a file that is not the one a latent was made with.
std::vector<std::string> add_loras(const LoraRequest& request, const Model& model, Attachments& attachments,
                                   ResolvedJob& job);

}  // namespace lapis::pipeline
