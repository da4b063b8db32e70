// Model folders: model.json read and checked, files held against what it records. docs/model-folder.md is the grammar.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "lapis/model.hpp"

namespace lapis::io {

/// Reads `folder`/model.json. Paths in the result are absolute, free of symbolic links, and lie below the folder; every
/// file is there with its recorded size, which finds a broken download without reading it.
/// Throws Error{model} with the place in the document ("parts.denoiser.inputs[1].dtype") for anything the grammar does
/// not allow. Whether family, space and parts agree with each other is not looked at here.
Model read_model(const std::filesystem::path& folder);

/// Compares every file of `model` with its recorded SHA-256, on two threads where there is much to read.
/// Throws Error{model} that names the first file, by name, that differs, with both digests.
void verify_files(const Model& model);

/// The same for the files of these parts alone ("vae_decoder"); a part that the model has not has no files.
void verify_parts(const Model& model, std::span<const std::string> parts);

}  // namespace lapis::io
