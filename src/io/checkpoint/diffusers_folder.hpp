// A model as diffusers saves it: a folder for each component, its weights in one file or several.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace lapis::io {

/// Whether `folder` has a model_index.json.
bool is_diffusers_folder(const std::filesystem::path& folder);

/// The class that the folder's model_index.json names for its pipeline: "StableDiffusionPipeline"; "" where it names
/// none, or is no JSON.
std::string pipeline_class(const std::filesystem::path& folder);

/// How the config.json in a component's folder says that its weights are quantized ("bitsandbytes", "fp8"); "" where it
/// says nothing of it, or is not there. Throws Error{input} for one that is no JSON.
std::string quant_method(const std::filesystem::path& component);

/// The weights of a component ("unet", "vae", "text_encoder"): the one file, the shards that its index names, or the
/// half-precision variant of either ("NAME.fp16.safetensors"). Empty for a component that is not there. Throws
/// Error{input} for one with other files alone (a pickle, another variant, another framework's, a shard that is
/// missing), saying what to do.
std::vector<std::filesystem::path> component_weights(const std::filesystem::path& folder, const std::string& component);

}  // namespace lapis::io
