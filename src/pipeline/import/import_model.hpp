// A model out of a checkpoint, or out of TorchScript files.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "io/report/import_report.hpp"
#include "lapis/engine.hpp"
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
  EngineOptions engine = {"cpu", "fp32", 0};  ///< that graphs are tried on
  std::set<std::string> compute;              ///< keys of the fields that say something of it

  bool has_graphs() const { return !graphs.graphs.empty(); }
};

/// `asked` with its words where they belong: those that stand behind a graph's file are graphs too, but for what is
/// plainly a checkpoint. Throws Error{usage} for nothing to import, and for what does not go together.
ImportAsked sorted_import(ImportAsked asked);

/// The folder of the model that is there and is to stay; none where there is none, or it is not to. Throws Error{usage}
/// for graphs without a name, and where there is no folder of the user's own models.
std::optional<std::filesystem::path> model_that_stays(const ImportAsked& asked);

/// Makes a model of a checkpoint, or of graphs that hold their weights after every part was probed. Throws as
/// `ImportPlan` or `plan_graphs` and `probe_graphs`, and as `make_model`.
io::ImportReport import_model(const ImportAsked& asked, ModelCatalog& catalog);

}  // namespace lapis::pipeline
