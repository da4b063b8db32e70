#include "io/checkpoint/embedding_files.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <system_error>

#include "core/checkpoint/lora_shapes.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "io/checkpoint/checkpoint.hpp"
#include "io/file/mapped_file.hpp"
#include "io/file/safetensors.hpp"
#include "io/file/sha256.hpp"
#include "io/file/text.hpp"
#include "io/model/weight_check.hpp"
#include "lapis/error.hpp"

namespace fs = std::filesystem;

namespace lapis::io {
namespace {

constexpr std::string_view table_name = "token_embedding.weight";

/// A text encoder, the tokenizer that feeds it, and what files with a tensor for each call its own.
struct Pair {
  const char* tokenizer;
  const char* part;
  const char* tensor;
};

constexpr std::array pairs = {Pair{"tokenizer", "text_encoder", "clip_l"},
                              Pair{"tokenizer_2", "text_encoder_2", "clip_g"}};

std::string checked_name(std::string name, const std::string& argument) {
  if (name.size() > 2 && name.starts_with('<') && name.ends_with('>')) name = name.substr(1, name.size() - 2);
  const bool blank = std::any_of(name.begin(), name.end(), [](char c) { return c >= 0 && c <= ' '; });
  if (!name.empty() && !blank) return name;
  throw Error(ErrorKind::usage, core::sentence("{embeddings} {}: {} can be no word of a prompt. Give it a name: "
                                               "{embeddings} NAME=FILE",
                                               printable(argument), in_quotes(name)));
}

void check_kind(const fs::path& path) {
  if (is_safetensors_name(path)) return;
  throw Error(ErrorKind::input,
              core::sentence("{embeddings} {}: only safetensors files are read; .pt and .bin files can run code. "
                             "Convert it with safetensors.torch.save_file",
                             printable(path.string())));
}

void add_folder(const fs::path& folder, std::vector<EmbeddingFile>& files) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string stem = entry->path().stem().string();
    const bool word = std::none_of(stem.begin(), stem.end(), [](char c) { return c >= 0 && c <= ' '; });
    if (is_safetensors_name(entry->path()) && word) paths.push_back(entry->path());
  }
  if (error) {
    throw Error(ErrorKind::input, core::sentence("{embeddings} {}: {}", printable(folder.string()), error.message()));
  }
  std::sort(paths.begin(), paths.end());
  for (const fs::path& path : paths) {
    files.push_back({checked_name(path.stem().string(), path.string()), path, false});
  }
}

void add_argument(const std::string& argument, std::vector<EmbeddingFile>& files) {
  std::error_code ignored;
  if (fs::is_directory(argument, ignored)) return add_folder(argument, files);
  const std::size_t equals = argument.find('=');
  const bool named = equals != std::string::npos && !fs::exists(argument, ignored);
  const fs::path path = named ? argument.substr(equals + 1) : argument;
  if (!is_file(path)) {
    throw Error(ErrorKind::input,
                core::sentence("{embeddings} {}: there is no file {}. Name a safetensors file or a folder of them",
                               printable(argument), printable(path.string())));
  }
  check_kind(path);
  files.push_back({checked_name(named ? argument.substr(0, equals) : path.stem().string(), argument), path, true});
}

void check_names(const std::vector<EmbeddingFile>& files) {
  for (std::size_t i = 0; i < files.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (!core::equal_ignoring_case(files[i].name, files[k].name)) continue;
      throw Error(ErrorKind::usage,
                  core::sentence("two embeddings are named {}: {} and {}. Name one apart: {embeddings} NAME=FILE",
                                 files[i].name, printable(files[k].path.string()), printable(files[i].path.string())));
    }
  }
}

bool is_number(Dtype dtype) {
  return dtype == Dtype::f16 || dtype == Dtype::bf16 || dtype == Dtype::f32 || dtype == Dtype::f64;
}

/// The name of the tensor meant for `pair`; "" where the file has none.
std::string tensor_for(const SafetensorsFile& file, const Pair& pair) {
  for (const char* name : {pair.tensor, "emb_params"}) {
    if (file.find(name) != nullptr) return name;
  }
  const bool others =
      std::any_of(pairs.begin(), pairs.end(), [&](const Pair& other) { return file.find(other.tensor); });
  return file.tensors().size() == 1 && !others ? file.tensors().begin()->first : "";
}

/// Refuses a tensor that is not [vectors, width], and one with NaN or infinity in it.
void check_tensor(const TensorView& tensor, const std::string& name, const std::string& what) {
  const std::vector<std::int64_t>& shape = tensor.shape;
  if ((shape.size() != 1 && shape.size() != 2) || !is_number(tensor.dtype) || core::count_of(shape) == 0) {
    throw Error(ErrorKind::input,
                core::sentence("{}: tensor {} is {} {}; an embedding is floating-point [vectors, width].", what,
                               printable(name), dtype_name(tensor.dtype), core::shape_text(shape)),
                "Name an embedding's file");
  }
  const std::optional<std::size_t> place = first_not_finite(tensor);
  if (!place) return;
  const auto width = static_cast<std::size_t>(shape.back());
  throw Error(ErrorKind::input,
              core::sentence("{}: tensor {} is NaN or infinite at its number {} (vector {}, place {}).", what,
                             printable(name), *place, *place / width, *place % width),
              "It was trained to that, or is damaged: take another");
}

/// [rows, width] of a text encoder's table of token embeddings.
std::array<std::int64_t, 2> table_shape(const Model& model, const Pair& pair, const std::string& what) {
  for (const fs::path& weights : model.parts.at(pair.part).weights) {
    const SafetensorsFile file(weights, ErrorKind::model);
    for (const auto& [name, tensor] : file.tensors()) {
      if (name.ends_with(table_name) && tensor.shape.size() == 2) return {tensor.shape[0], tensor.shape[1]};
    }
  }
  throw Error(ErrorKind::incompatible,
              core::sentence("{}: {} of {} keeps its token embeddings in its graph, and none can be added", what,
                             pair.part, model.name));
}

/// How many rows the tensor for `pair` has.
std::int64_t checked_rows(const TensorView& tensor, const std::string& name, std::int64_t width, const Model& model,
                          const Pair& pair, const std::string& what) {
  check_tensor(tensor, name, what);
  const std::vector<std::int64_t>& shape = tensor.shape;
  if (shape.back() != width) {
    throw Error(ErrorKind::incompatible,
                core::sentence("{}: its vectors have width {}; {} of {} has width {}. Use an embedding made for "
                               "family {}",
                               what, shape.back(), pair.part, model.name, width, model.family));
  }
  const std::int64_t room = model.tokenizers.at(pair.tokenizer).length - 2;
  const std::int64_t rows = shape.size() == 2 ? shape.front() : 1;
  if (rows <= room) return rows;
  throw Error(ErrorKind::incompatible,
              core::sentence("{}: it has {} vectors; a chunk of {} has room for {}", what, rows, model.name, room));
}

}  // namespace

std::vector<EmbeddingFile> find_embeddings(std::span<const std::string> arguments) {
  std::vector<EmbeddingFile> files;
  for (const std::string& argument : arguments) add_argument(argument, files);
  check_names(files);
  return files;
}

void check_embedding(const EmbeddingFile& file) {
  const std::string what = core::sentence("{embeddings} {}", printable(file.path.string()));
  expect_safetensors(file.path, "embedding");
  const SafetensorsFile content(file.path, ErrorKind::input);
  bool any = false;
  for (const Pair& pair : pairs) {
    const std::string name = tensor_for(content, pair);
    if (name.empty()) continue;
    any = true;
    check_tensor(*content.find(name), name, what);
  }
  if (any) return;
  throw Error(ErrorKind::input,
              core::sentence("{}: none of its {} tensors is an embedding's: clip_l, clip_g, emb_params, or one tensor "
                             "alone.",
                             what, content.tensors().size()),
              "Name an embedding's file");
}

std::map<std::string, core::NamedIds> add_embedding(const Model& model, Attachments& attachments,
                                                    const EmbeddingFile& file) {
  const std::string what = core::sentence("{embeddings} {}", printable(file.path.string()));
  const SafetensorsFile content(file.path, ErrorKind::input);
  const std::string sha256 = sha256_file(file.path, ErrorKind::input);
  std::map<std::string, core::NamedIds> ids;
  for (const Pair& pair : pairs) {
    if (!model.parts.contains(pair.part) || !model.tokenizers.contains(pair.tokenizer)) continue;
    const std::string name = tensor_for(content, pair);
    if (name.empty()) {
      throw Error(ErrorKind::incompatible,
                  core::sentence("{}: it has no tensor for {} of {}. Expected {}, or emb_params, or one tensor alone",
                                 what, pair.part, model.name, pair.tensor));
    }
    const auto [table_rows, width] = table_shape(model, pair, what);
    const std::int64_t rows = checked_rows(*content.find(name), name, width, model, pair, what);
    std::vector<AddedRows>& added = attachments.parts[find_part_kind(pair.part).value()].token_rows;
    std::int64_t next = table_rows;
    for (const AddedRows& earlier : added) next += earlier.rows;
    core::NamedIds& named = ids[pair.tokenizer];
    named.name = file.name;
    for (std::int64_t i = 0; i < rows; ++i) named.ids.push_back(next + i);
    added.push_back({file.path, name, rows, sha256});
  }
  attachments.embeddings.push_back({file.name, sha256});
  return ids;
}

}  // namespace lapis::io
