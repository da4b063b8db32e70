// What a model folder says of itself (docs/model-folder.md is the grammar of model.json).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "lapis/part_kind.hpp"
#include "lapis/sampling.hpp"
#include "lapis/space.hpp"

namespace lapis {

/// One dimension of a part's input or output: a number, or the name of a size that is free ("batch", "height").
using Dimension = std::variant<std::int64_t, std::string>;

/// One input or output of a part, in the order the graph takes or returns it.
struct Port {
  std::string name;
  std::string dtype;  ///< "model" (the dtype the part runs in), "f32" or "i64"
  std::vector<Dimension> shape;

  bool operator==(const Port&) const = default;
};

/// One TorchScript graph with its weights. Paths are absolute and lie below the model's folder, but for linked files.
struct Part {
  std::filesystem::path graph;
  std::vector<std::filesystem::path> weights;  ///< empty: the graph holds its weights itself
  std::vector<Port> inputs;
  std::vector<Port> outputs;
  std::string key_scheme = "diffusers";  ///< who named the weights' tensors (docs/model-folder.md, "naming")
  std::string prefix = {};               ///< what stands before those names in the weight files
  std::string digest = {};  ///< sha256 of the part's tensors in a checkpoint that holds others too; else empty

  bool operator==(const Part&) const = default;
};

/// How text becomes tokens: CLIP's byte-pair encoding, or the SentencePiece unigram model of T5.
enum class TokenizerKind { clip, t5 };

/// A tokenizer's files and ids.
struct TokenizerFacts {
  std::filesystem::path vocabulary;  ///< clip: vocab.json
  std::filesystem::path merges;      ///< clip: merges.txt
  int length = 77;                   ///< tokens of one prompt, start and end included
  int start = 0;                     ///< clip alone
  int end = 0;
  int pad = 0;
  TokenizerKind kind = TokenizerKind::clip;
  std::filesystem::path model = {};  ///< t5: the SentencePiece model
  int extra_ids = 0;                 ///< t5: how many <extra_id_N> follow the model's pieces

  bool operator==(const TokenizerFacts&) const = default;
};

/// What some families' adapters must know beyond the ports.
struct Conditioning {
  bool zero_empty_negative = false;  ///< sdxl: zeros stand for a negative prompt that is empty
  std::vector<int> rope_axes;        ///< flux: how a head's width is shared between the axes (0, y, x) of a position

  bool operator==(const Conditioning&) const = default;
};

/// What a model was taught to show. One that says nothing of it is taken to know every word.
struct Taught {
  std::string subjects;            ///< words that follow "was taught": "landscapes and shapes"
  std::vector<std::string> words;  ///< of its prompts, in lower case, each once

  bool operator==(const Taught&) const = default;
};

/// What a job gets where it says nothing.
struct Defaults {
  int width = 0;
  int height = 0;
  int steps = 0;
  std::string sampler;
  double guidance = 0;
  std::string schedule = "own";

  bool operator==(const Defaults&) const = default;
};

/// What model.json records of a file below the folder.
struct FileFacts {
  std::string sha256;  ///< 64 lower-case hex digits; empty for a linked file that was not read whole yet
  std::uint64_t size = 0;
  /// Of a linked file, which may lie outside the model's folder: when it was changed last, in nanoseconds since 1970,
  /// at import. None for a file of the folder's own.
  std::optional<std::int64_t> modified = {};

  bool operator==(const FileFacts&) const = default;
};

/// A model folder, read and checked: names, numbers and paths, no weights. What a job adds to it is `Attachments`. Two
/// are equal where all that is recorded of them is, digests of files too: such two are one model to an engine.
struct Model {
  std::filesystem::path folder;
  std::string name;
  std::string family;
  Space space;
  std::map<std::string, Part> parts;                 ///< by the names of `part_kinds`
  std::map<std::string, TokenizerFacts> tokenizers;  ///< "tokenizer", "tokenizer_2"
  Conditioning conditioning;
  SamplingFacts sampling;
  Defaults defaults;
  std::map<std::string, FileFacts> files;  ///< every file of parts and tokenizers, by its path below the folder
  std::string licence;
  std::string origin;
  std::optional<Taught> taught = {};

  bool operator==(const Model&) const = default;
};

/// The model's part of this kind, or null where it has none.
inline const Part* find_part(const Model& model, PartKind kind) {
  const auto found = model.parts.find(std::string(row_of(kind).name));
  return found == model.parts.end() ? nullptr : &found->second;
}

}  // namespace lapis
