// What a job adds to a model and lays beside it: a model itself is not changed by a job.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "lapis/part_kind.hpp"
#include "lapis/prompt.hpp"

namespace lapis {

/// Rows that a text encoder's table of token embeddings gets behind its checkpoint's own: one textual inversion.
struct AddedRows {
  std::filesystem::path file;  ///< safetensors
  std::string tensor;          ///< its name there: [rows, width], or [width] for one row
  std::int64_t rows = 0;
  std::string sha256 = {};  ///< of the file as it was read: another one of the same name is another embedding

  bool operator==(const AddedRows&) const = default;
};

/// How the tensors of a LoRA make up what is added to a weight.
enum class DeltaKind {
  lora,  ///< up @ down, through mid where there is one
  loha,  ///< a Hadamard product of two such
  lokr,  ///< a Kronecker product
  full,  ///< the difference itself
};

/// What one file adds to one parameter of a part.
struct Delta {
  std::filesystem::path file;  ///< safetensors
  std::string parameter;       ///< of the graph: "mid_block.attentions.0.proj_in.weight"
  DeltaKind kind = DeltaKind::lora;
  std::map<std::string, std::string>
      tensors;       ///< names of the file's tensors by what they are to the parameter: "down", "up", "hada_w1_a"
  double scale = 1;  ///< the user's weight x alpha / rank
  std::vector<std::pair<std::int64_t, std::int64_t>>
      rows{};               ///< first and count, of what a fused layer gets; none: all
  std::string sha256 = {};  ///< of the file as it was planned with: another one of the same name is another LoRA

  bool operator==(const Delta&) const = default;
};

/// What is added to one part.
struct PartAttachments {
  std::vector<AddedRows> token_rows;  ///< in the order of their ids
  std::vector<Delta> deltas;          ///< to be added in this order

  bool operator==(const PartAttachments&) const = default;
};

/// The embeddings and LoRAs of one job.
struct Attachments {
  std::vector<Embedding> embeddings;
  std::vector<Lora> loras;  ///< in the order in which they are added
  std::map<PartKind, PartAttachments> parts;

  /// What is added to a part; nothing for one that none of them touches.
  const PartAttachments& of(PartKind kind) const {
    static const PartAttachments nothing;
    const auto found = parts.find(kind);
    return found == parts.end() ? nothing : found->second;
  }
};

}  // namespace lapis
