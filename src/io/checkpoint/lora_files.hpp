// LoRAs out of safetensors files.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/checkpoint/lora_calls.hpp"
#include "core/checkpoint/lora_plan.hpp"
#include "lapis/attachments.hpp"
#include "lapis/model.hpp"

namespace lapis::io {

/// The file beside a LoRA that says how it is to be read, which peft writes; empty where there is none.
std::filesystem::path lora_config(const std::filesystem::path& path);

/// The file behind `name`: a file of that path, what peft saved in a folder of that path, or the one of that name below
/// a folder, with or without ".safetensors" in any case of its letters; a file that links lead to as well is one. The
/// first folder that has one counts. Throws Error{usage} where there is none, with the nearest name, and where one
/// folder has several; `flag` begins the message.
std::filesystem::path find_lora(const std::string& name, std::span<const std::filesystem::path> folders,
                                const std::string& flag);

/// The parts of a model that LoRAs are for, with the parameters of their graphs. Throws Error{model} for a graph that
/// is damaged.
core::LoraModel lora_model(const Model& model);

/// A LoRA's file, and the keys of peft's configuration that lapis does not know.
struct ReadLora {
  core::LoraFile file;
  core::Listing unknown_settings;
};

/// Reads names, shapes, alphas and peft's configuration (in the file, or in adapter_config.json beside it); scales of
/// tensors that are kept in small numbers are none of the tensors. Throws Error{input} for a file that is no
/// safetensors file or is damaged, for an alpha that is no number, and as `read_weight_scales` and `read_peft_settings`
/// do.
ReadLora read_lora(const std::filesystem::path& path);

/// What of a LoRA was not taken.
struct AddedLora {
  std::map<core::LeftOut, core::Listing> left_out;  ///< `core::LoraPlan::left_out`
  core::Listing unknown_settings;                   ///< `ReadLora::unknown_settings`
};

/// Adds a LoRA to `attachments`: what it adds to each part of a model, and itself with its digests. `model` is
/// `lora_model` of that model. Throws as `read_lora` and `core::plan_lora` do; then nothing was added.
AddedLora add_lora(Attachments& attachments, const core::LoraModel& model, const std::filesystem::path& path,
                   const core::LoraWeight& weight, bool in_prompt);

}  // namespace lapis::io
