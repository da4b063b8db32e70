// A model of TorchScript files that hold their own weights: which file is which part, tried before it is taken.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/family/families.hpp"
#include "core/model/part_probe.hpp"
#include "lapis/engine.hpp"
#include "lapis/model.hpp"
#include "pipeline/model_catalog.hpp"

namespace lapis::pipeline {

/// What a user names.
struct GraphSources {
  std::vector<std::string> graphs;  ///< "PART=FILE", or "FILE" by the name of its part
  std::string family;               ///< whose facts of sampling, space and tokenizers are taken, or
  std::string like;                 ///< those of this model, by name or folder
};

/// Families, files and trials.
class GraphPlan {
 public:
  /// Finds family and files, and looks at each file from outside. `tokenizer` is T5's, where one is needed. Throws
  /// Error{usage} for parts and families that are not known or lacking, Error{input} for a file that is no graph, or
  /// one that is refused (io/graph/graph_archive.hpp).
  GraphPlan(const GraphSources& sources, const std::string& tokenizer, ModelCatalog& catalog);

  /// Runs every part on `engine`, one and two pictures of two sizes, and fills in the ports of the model's parts.
  /// Throws Error{incompatible} with what does not fit.
  void try_parts(Engine& engine);

  /// Family, space, sampling, defaults, tokenizers (their files where they are now), conditioning; after try_parts
  /// the parts, whose graphs are the user's files.
  const Model& model() const { return model_; }

  const std::vector<std::string>& notes() const { return notes_; }

 private:
  /// What is wrong with a part on one picture, and on two of another size; empty where nothing is.
  struct Faults {
    std::string one;
    std::string two;
    bool ran = false;  ///< on one picture, though what it gave back was wrong
    std::string input_names;
  };

  void choose_family(const GraphSources& sources, ModelCatalog& catalog);
  void take_family(const std::string& name);
  void choose_files(const std::vector<std::string>& words);
  void choose_tokenizers(const std::string& tokenizer);
  bool has_optional_inputs(Engine& engine, const core::PartRow& row);
  void take_flux_recipe(bool guided);
  void probe_part(Engine& engine, const core::PartRow& row, const std::vector<Port>& inputs);
  Faults faults_of(Engine& engine, const std::string& name, Part& part);
  bool finds_reduced_outputs(Engine& engine, const core::PartRow& row, Part& part);
  bool finds_timestep(Engine& engine, const std::string& name, Part& part);
  [[noreturn]] void refuse_faulty(Engine& engine, const std::string& name, const Part& part, const Faults& faults);
  std::string fault_of(Engine& engine, const std::string& name, const Part& part, const core::ProbePictures& pictures);
  [[noreturn]] void refuse(const std::string& name, const std::string& what, const std::string& advice) const;

  std::map<std::string, std::filesystem::path> files_;  ///< by part
  bool is_like_another_ = false;
  Model model_;
  ProbeResult last_;
  std::vector<std::string> notes_;
};

}  // namespace lapis::pipeline
