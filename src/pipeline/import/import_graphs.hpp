// A model of TorchScript files that hold their own weights: which file is which part, probed before it is taken.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

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

/// Names of the families whose published models lapis knows enough of.
std::vector<std::string> graph_families();

/// Throws Error{usage} for a family that is none.
void check_family(const std::string& name);

/// Throws Error{usage} for a tokenizer of T5's that is named for `model` (`title`), which has none.
void check_tokenizer_wanted(const Model& model, const std::string& title, const std::string& tokenizer);

/// Which file is which part of what model.
struct GraphPlan {
  /// Family, space, sampling, defaults, tokenizers (their files where they are now), conditioning; no parts, no files.
  Model model;
  std::map<std::string, std::filesystem::path> files;  ///< by part
  bool is_like_another = false;                        ///< model that the user named, which decides its sampling
};

/// Finds family and files, and looks at each file from outside. `tokenizer` is T5's, where one is needed. Throws
/// Error{usage} for parts and families that are not known or lacking, Error{input} for a file that is no graph, or one
/// that is refused (io/graph/graph_archive.hpp).
GraphPlan plan_graphs(const GraphSources& sources, const std::string& tokenizer, ModelCatalog& catalog);

/// The model with its parts, whose graphs are the user's files.
struct ProbedGraphs {
  Model model;
  std::vector<std::string> notes;
};

/// Runs every part on `engine`, one and two pictures of two sizes, and fills in the ports of the model's parts. Throws
/// Error{incompatible} with what does not fit.
ProbedGraphs probe_graphs(const GraphPlan& plan, Engine& engine);

}  // namespace lapis::pipeline
