// Textual-inversion embeddings out of safetensors files.
#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/prompt/prompt_chunks.hpp"
#include "lapis/attachments.hpp"
#include "lapis/model.hpp"

namespace lapis::io {

/// A file, and the name that prompts call it by.
struct EmbeddingFile {
  std::string name;
  std::filesystem::path path;
  bool asked = true;  ///< named itself, not found in a folder
};

/// The files behind "FILE", "NAME=FILE" and "FOLDER", in this order, a folder's sorted by name; without a NAME it is
/// the file's, less its extension, and less one pair of < >. Nothing is opened. Throws Error{input} for what is not
/// there or no safetensors file, Error{usage} for a name with blanks or one given twice.
std::vector<EmbeddingFile> find_embeddings(std::span<const std::string> arguments);

/// Throws Error{input} for a file that is damaged, has none of the known forms, or holds NaN or infinity, with the
/// tensor and the place.
void check_embedding(const EmbeddingFile& file);

/// Adds an embedding to `attachments`, for the text encoders of `model`: its digest and its rows. Returns the ids that
/// these get, by tokenizer ("tokenizer" feeds "text_encoder", "tokenizer_2" "text_encoder_2"). Known forms: the tensors
/// clip_l and clip_g, one for each text encoder; emb_params; or one tensor of any name. Throws as `check_embedding`
/// does of the tensors it takes, Error{incompatible} where widths differ, an encoder finds no tensor, or it keeps its
/// weights in its graph.
std::map<std::string, core::NamedIds> add_embedding(const Model& model, Attachments& attachments,
                                                    const EmbeddingFile& file);

}  // namespace lapis::io
