// What a checkpoint becomes: which graph each of its parts is bound to, and whatever else a model needs.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/checkpoint/checkpoint_kind.hpp"
#include "core/checkpoint/sampling_claims.hpp"
#include "core/family/families.hpp"
#include "core/family/recipes.hpp"
#include "io/checkpoint/checkpoint.hpp"
#include "io/checkpoint/graph_library.hpp"
#include "lapis/model.hpp"
#include "pipeline/model_catalog.hpp"

namespace lapis::pipeline {

/// What a user names to be imported.
struct ImportSources {
  std::vector<std::string> main;  ///< a diffusers folder, or files
  std::string vae;                ///< these in place of what the main sources hold, or where they hold none
  std::string clip_l;
  std::string clip_g;
  std::string t5xxl;
  std::string tokenizer;  ///< of T5: a SentencePiece model, or a folder that has one
  core::SamplingWish sampling;
};

/// One part of the model to be.
struct ImportedPart {
  std::string part;  ///< "denoiser"
  core::GraphMatch match;
  io::LibraryGraph graph;
  const io::Checkpoint* checkpoint;
};

/// The field that names the checkpoint of a part: "" for a denoiser, which comes first.
std::string field_of(const std::string& part, core::Architecture architecture);

/// Throws Error{input} where the file of T5's tokenizer is no SentencePiece model.
void check_t5_tokenizer(const TokenizerFacts& facts);

/// A plan, read and checked; nothing is written yet.
class ImportPlan {
 public:
  /// Throws Error{input} for what is no checkpoint, or of an architecture that lapis has not, with the nearest that it
  /// has; Error{incompatible} for parts of different families, or a scheduler of another; Error{usage} where parts are
  /// lacking, with the options that name them.
  ImportPlan(const ImportSources& sources, ModelCatalog& catalog);

  const std::string& title() const { return title_; }
  const std::vector<ImportedPart>& parts() const { return parts_; }

  /// Family, space, sampling, defaults, tokenizers (their files where they are now), conditioning;
  /// what it was taught, where the folder that it is made of is a model and says so. No parts, no files.
  const Model& model() const { return model_; }

  /// What the user should know: tensors that nothing needs, evidence that is lacking.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  struct Source {
    std::string name;   ///< as messages call it
    std::string field;  ///< that names it: "vae"; "" of the main sources
    io::Checkpoint checkpoint;
    core::CheckpointKind kind;
    std::optional<std::filesystem::path> folder;  ///< of diffusers, that it is a component of
  };

  void add_source(const std::string& path);
  void add_files(std::vector<std::filesystem::path> files, const std::string& name, const std::string& field,
                 std::optional<std::filesystem::path> folder);
  void add_named(const std::string& path, const std::string& field, const std::vector<std::string>& components);
  std::pair<const Source*, const core::GraphMatch*> find_part(const std::string& part, const std::string& graph) const;
  // What is refused, and by which name: import_refusals.cpp.
  void refuse_strangers() const;
  [[noreturn]] void refuse_source(const Source& source, const core::Relative& marked) const;
  [[noreturn]] void refuse_unknown() const;
  std::vector<std::string> named_parts(const Source& denoiser) const;
  void check_near(const Source& source) const;
  void check_given() const;
  void check_lacking() const;
  void check_twins(const Source& denoiser, const std::string& graph);
  std::pair<const Source*, const core::GraphMatch*> denoiser() const;
  void choose_template();
  void take_recipe(const core::Recipe& recipe);
  void take_example(const Model& model);
  void note_example();
  bool lacks(const std::string& part) const;
  bool lacks_any() const;
  void take_parts();
  std::vector<core::TensorShape> leftovers_of(const Source& source, const std::vector<std::string>& realms) const;
  void check_leftovers() const;
  void check_dtypes() const;
  const Source* vae_source() const;
  void check_vae_config(const Source& source) const;
  void check_vae_file(const Source& source);
  void take_tokenizers();
  void take_t5_tokenizer(TokenizerFacts& facts) const;
  void find_sampling();
  void find_taught();
  void note_extras();

  const ImportSources& asked_;
  io::GraphLibrary library_;
  ModelCatalog& catalog_;
  std::vector<const Model*> models_;  ///< that are known: those that were exported first, by name
  std::vector<Source> sources_;       ///< those that fields of their own name come first
  std::string folder_;                ///< of diffusers, that a user named; "": none
  std::string pipeline_;              ///< its class
  std::string title_;
  std::map<std::string, std::string> wanted_;  ///< part -> graph
  std::vector<ImportedPart> parts_;
  Model model_;
  std::vector<std::string> notes_;
};

}  // namespace lapis::pipeline
