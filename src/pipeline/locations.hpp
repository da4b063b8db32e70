// Where things lie: models, and the engine beside the program.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace lapis::pipeline {

/// The engine's shared object: beside the program, or the library `lapis`, in a build; in lib/lapis of an installed
/// tree.
std::filesystem::path engine_path();

/// The user's own models: lapis/models below XDG_DATA_HOME, or below ~/.local/share. Empty where neither is known.
std::filesystem::path user_models();

/// Folders that are searched for a model's name, in order: those of LAPIS_MODELS (separated by ":"), then the user's
/// own, then the bundled models of an installed tree, then those of the source tree around a build.
std::vector<std::filesystem::path> model_places();

/// Folders that are searched for a LoRA's name, in order: those of LAPIS_LORAS (separated by ":"), then lapis/loras
/// below XDG_DATA_HOME, or below ~/.local/share.
std::vector<std::filesystem::path> lora_places();

/// What came with the program beside the bundled models, "graphs" or "tokenizers": the folder of that name.
std::filesystem::path bundled_folder(const std::string& name);

/// Every folder below `model_places` that holds a model.json, by name; the first of two equal names wins.
std::vector<std::filesystem::path> known_models();

/// Whether `word` means a file and no model: "-", a file that is there, or a name that ends as latents and PNGs do.
bool names_file(const std::string& word);

/// Throws Error{usage} for what is not here and is called as Hugging Face calls models ("owner/name", or its address),
/// with the line that fetches it.
void refuse_repository(const std::string& name);

/// The folder of a model given by name, or by path if `name` holds a "/" or is a folder here.
/// Throws Error{usage} with the known names if there is no such model.
std::filesystem::path find_model(const std::string& name);

}  // namespace lapis::pipeline
