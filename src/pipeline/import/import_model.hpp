// A model out of a checkpoint, or out of TorchScript files.
#pragma once

#include <filesystem>
#include <string>

#include "io/report/import_report.hpp"
#include "pipeline/import/import_graphs.hpp"
#include "pipeline/import/import_plan.hpp"
#include "pipeline/import/model_folder_builder.hpp"
#include "pipeline/model_catalog.hpp"

namespace lapis::pipeline {

/// What is asked.
struct ImportAsked {
  ImportSources sources;  ///< of a checkpoint; of graphs only the tokenizer and what is wished of sampling
  GraphSources graphs;
  ImportTarget target;
  std::string lineage;  ///< training its VAE comes from; empty: the published one
  std::string licence = "not stated";
};

/// Where the model goes, which has a source or, of graphs, a name or a folder. Throws Error{usage} for one without a
/// name, and where there is no folder of the user's own models.
std::filesystem::path import_place(const ImportAsked& asked);

/// Makes a model of a checkpoint. Throws as `ImportPlan` and `make_model`.
io::ImportReport import_checkpoint(const ImportAsked& asked, ModelCatalog& catalog);

/// Makes a model of graphs that hold their weights, after every part was probed. Throws as `plan_graphs`,
/// `probe_graphs` and `make_model`.
io::ImportReport import_graphs(const ImportAsked& asked, ModelCatalog& catalog);

}  // namespace lapis::pipeline
