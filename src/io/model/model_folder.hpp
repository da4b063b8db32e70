// Model folders: model.json read and checked, files compared with what it records. docs/model-folder.md is the grammar.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "lapis/model.hpp"

namespace lapis::io {

/// Reads `folder`/model.json. Paths in the result are absolute, free of symbolic links, and lie below the folder, but
/// for linked files; every file is there with its recorded size, a linked one unchanged since it was imported, which
/// finds a broken download without reading it.
/// Throws Error{model} with the place in the document ("parts.denoiser.inputs[1].dtype") for anything the grammar does
/// not allow. Whether family, space and parts agree with each other is not looked at here.
Model read_model(const std::filesystem::path& folder);

/// Compares every file of `model` with its recorded SHA-256, on two threads where there is much to read. Linked files
/// are left out unless `linked_too`: they may be many gigabytes, and have not changed since they were imported. Files
/// without a recorded digest are left out. Throws Error{model} that names the first file, by name, that differs, with
/// both digests.
void verify_files(const Model& model, bool linked_too = false);

/// The name that `path`, a file below a model's folder, has in model.json and in `Model::files`.
std::string name_in(const Model& model, const std::filesystem::path& path);

/// Nanoseconds since 1970 at which a file was changed last.
std::int64_t last_change(const std::filesystem::path& file);

/// Compares the files of these parts alone ("vae_decoder"), as `verify_files` does; a part that the model has not has
/// no files.
void verify_parts(const Model& model, std::span<const std::string> parts);

}  // namespace lapis::io
