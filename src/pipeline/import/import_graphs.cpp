#include "pipeline/import/import_graphs.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <system_error>
#include <utility>

#include "core/family/families.hpp"
#include "core/family/recipes.hpp"
#include "core/family/spaces.hpp"
#include "core/model/part_probe.hpp"
#include "core/text/suggest.hpp"
#include "io/graph/graph_archive.hpp"
#include "lapis/error.hpp"
#include "pipeline/import/import_plan.hpp"
#include "pipeline/locations.hpp"

namespace fs = std::filesystem;

namespace lapis::pipeline {
namespace {

using core::ProbePictures;

constexpr ProbePictures one_picture{1, 64, 64};
constexpr ProbePictures two_pictures{2, 128, 64};
constexpr const char* anew = "Export it as docs/model-folder.md has its inputs and outputs";

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

std::vector<std::string> part_names(const core::FamilyRow& family) {
  std::vector<std::string> names;
  for (const core::PartRow& row : family.parts) names.push_back(row.name);
  return names;
}

/// Ports of a part as a family wants them, with or without what only some models have.
std::vector<Port> inputs_of(const core::PartRow& row, bool optional_too) {
  std::vector<Port> inputs = row.inputs;
  if (optional_too) inputs.insert(inputs.end(), row.optional_inputs.begin(), row.optional_inputs.end());
  return inputs;
}

/// `inputs` with another port for the timestep; none where they have no timestep.
std::optional<std::vector<Port>> with_timestep(std::vector<Port> inputs, const std::string& dtype,
                                               std::vector<Dimension> shape) {
  for (Port& port : inputs) {
    if (port.name != "timestep") continue;
    port.dtype = dtype;
    port.shape = std::move(shape);
    return inputs;
  }
  return std::nullopt;
}

}  // namespace

GraphPlan::GraphPlan(const GraphSources& sources, const std::string& tokenizer, ModelCatalog& catalog) {
  choose_family(sources, catalog);
  choose_files(sources.graphs);
  choose_tokenizers(tokenizer);
}

void GraphPlan::choose_family(const GraphSources& sources, ModelCatalog& catalog) {
  if (sources.family.empty() == sources.like.empty()) {
    throw Error(ErrorKind::usage,
                "a graph does not say what it was trained for. Name a family (--family sd15), or a model whose space, "
                "schedule and tokenizers it has (--like MODEL)");
  }
  if (sources.like.empty()) return take_family(sources.family);
  is_like_another_ = true;
  model_ = catalog.open(sources.like);
  model_.parts.clear();
  model_.files.clear();
}

void GraphPlan::take_family(const std::string& name) {
  const core::FamilyRow* family = core::find_family(name);
  if (family == nullptr) {
    std::vector<std::string> names;
    for (const core::FamilyRow& row : core::families()) names.push_back(row.name);
    throw Error(ErrorKind::usage, "--family is \"" + name + "\"; expected one of " + core::listed(names) + "." +
                                      core::did_you_mean(name, names));
  }
  const auto recipes = core::recipes();
  const auto recipe =
      std::find_if(recipes.begin(), recipes.end(), [&](const core::Recipe& row) { return row.family == name; });
  if (recipe == recipes.end()) {
    throw Error(ErrorKind::usage, "--family " + name + ": no model of it came with lapis to take the schedule from.",
                "Name one of yours: --like MODEL");
  }
  model_.family = name;
  model_.space = core::find_space(family->space)->space;
  model_.sampling = recipe->sampling;
  model_.defaults = recipe->defaults;
  model_.conditioning = recipe->conditioning;
  model_.tokenizers = recipe->tokenizers;
}

void GraphPlan::choose_files(const std::vector<std::string>& words) {
  const core::FamilyRow& family = *core::find_family(model_.family);
  const std::vector<std::string> known = part_names(family);
  for (const std::string& word : words) {
    const std::size_t sign = word.find('=');
    const fs::path file = sign == std::string::npos ? word : word.substr(sign + 1);
    const std::string part = sign == std::string::npos ? file.stem().string() : word.substr(0, sign);
    if (std::find(known.begin(), known.end(), part) == known.end()) {
      throw Error(ErrorKind::usage,
                  "--torchscript " + word + ": there is no part \"" + part + "\"; family " + model_.family + " has " +
                      core::listed(known) + "." + core::did_you_mean(part, known),
                  "Say which it is: --torchscript PART=" + file.string());
    }
    io::check_graph_archive(file, ErrorKind::input);
    if (!files_.emplace(part, file).second) {
      throw Error(ErrorKind::usage, "--torchscript names " + part + " twice. Name each part once");
    }
  }
  std::string lacking;
  for (const core::PartRow& row : family.parts) {
    if (row.required && !files_.contains(row.name)) lacking += (lacking.empty() ? "" : ", ") + row.name;
  }
  if (!lacking.empty()) {
    throw Error(ErrorKind::usage, "a model of family " + model_.family + " needs " + lacking + " too.",
                "Name the files: --torchscript PART=FILE ...");
  }
}

void GraphPlan::choose_tokenizers(const std::string& tokenizer) {
  for (auto& [name, facts] : model_.tokenizers) {
    if (facts.kind == TokenizerKind::clip) {
      if (!facts.vocabulary.empty()) continue;  // of the model that it is like
      facts.vocabulary = bundled_folder("tokenizers") / "clip" / "vocab.json";
      facts.merges = bundled_folder("tokenizers") / "clip" / "merges.txt";
      continue;
    }
    if (!tokenizer.empty())
      facts.model = is_file(tokenizer) ? fs::path(tokenizer) : fs::path(tokenizer) / "spiece.model";
    if (is_file(facts.model)) {
      check_t5_tokenizer(facts);
      continue;
    }
    throw Error(ErrorKind::usage, "T5 needs its tokenizer, a SentencePiece model (spiece.model of google/t5-v1_1-xxl).",
                "Name it: --tokenizer FILE");
  }
}

void GraphPlan::refuse(const std::string& name, const std::string& what, const std::string& advice) const {
  throw Error(ErrorKind::incompatible, files_.at(name).string() + " does not fit as " + name + ": it " + what + ".",
              advice);
}

/// What is wrong with a part on these pictures; empty if nothing is. Leaves what it gave back in last_.
std::string GraphPlan::fault_of(Engine& engine, const std::string& name, const Part& part,
                                const ProbePictures& pictures) {
  const std::vector<ProbeInput> inputs = core::trial_inputs(model_, name, part.inputs, pictures);
  last_ = engine.probe_part(part, name, inputs);
  return core::trial_fault(model_, name, part.outputs, pictures, inputs, last_).value_or("");
}

/// Tries a part on both kinds of pictures. On success the part has the sizes of its outputs.
GraphPlan::Faults GraphPlan::faults_of(Engine& engine, const std::string& name, Part& part) {
  Faults faults;
  faults.one = fault_of(engine, name, part, one_picture);
  faults.input_names = last_.input_names;
  faults.ran = last_.fault.empty();
  if (!faults.one.empty()) return faults;
  const std::vector<Port> learned = core::inferred_outputs(part.outputs, last_);
  Part with_sizes = part;
  with_sizes.outputs = learned;
  faults.two = fault_of(engine, name, with_sizes, two_pictures);
  if (faults.two.empty()) part = std::move(with_sizes);
  return faults;
}

/// Tries the other ways in which exporters let a denoiser take its timestep. Whether one of them works.
bool GraphPlan::finds_timestep(Engine& engine, const std::string& name, Part& part) {
  const std::array<std::pair<std::string, std::vector<Dimension>>, 3> ways = {
      {{"f32", {}}, {"i64", {"batch"}}, {"i64", {}}}};
  for (const auto& [dtype, shape] : ways) {
    const auto inputs = with_timestep(part.inputs, dtype, shape);
    if (!inputs) return false;
    Part other = part;
    other.inputs = *inputs;
    const Faults faults = faults_of(engine, name, other);
    if (!faults.one.empty() || !faults.two.empty()) continue;
    if (dtype == "i64") {
      refuse(name, "takes its timestep as whole numbers alone, and samplers go between them",
             "Export it with a timestep of float32");
    }
    part = std::move(other);
    notes_.push_back(files_.at(name).filename().string() + " takes its timestep as one number for all pictures");
    return true;
  }
  return false;
}

/// Tries whether a part gives back less that will do.
bool GraphPlan::finds_reduced_outputs(Engine& engine, const core::PartRow& row, Part& part) {
  for (const std::vector<Port>& outputs : row.reduced_outputs) {
    Part other = part;
    other.outputs = outputs;
    const Faults faults = faults_of(engine, row.name, other);
    if (!faults.one.empty() || !faults.two.empty()) continue;
    part = std::move(other);
    notes_.push_back(files_.at(row.name).filename().string() +
                     " gives back its last layer alone: there is none to skip (--clip-skip)");
    return true;
  }
  return false;
}

/// Says what does not fit, after asking which of the trial's numbers it lies on.
void GraphPlan::refuse_faulty(Engine& engine, const std::string& name, const Part& part, const Faults& faults) {
  const std::string one = core::trial_text(one_picture);
  if (!faults.two.empty()) {
    const bool size = fault_of(engine, name, part, {2, one_picture.width, one_picture.height}).empty();
    refuse(name, "runs for " + one + " and not for " + core::trial_text(two_pictures) + ": it " + faults.two,
           std::string(size ? "The size" : "The number of pictures") +
               " was fixed when it was traced: trace it for two pictures of an odd size");
  }
  const ProbePictures usual{1, model_.defaults.width, model_.defaults.height};
  if (!faults.ran && fault_of(engine, name, part, usual).empty()) {
    refuse(name, "runs for " + core::trial_text(usual) + " and not for " + one + ": it " + faults.one,
           "The size was fixed when it was traced: trace it for two pictures of an odd size");
  }
  std::string wanted;
  for (const Port& port : part.inputs) wanted += (wanted.empty() ? "" : ", ") + port.name;
  refuse(name, faults.one,
         (faults.ran ? "" : "It calls its inputs " + faults.input_names + ", and is given " + wanted + ". ") + anew);
}

void GraphPlan::probe_part(Engine& engine, const core::PartRow& row, const std::vector<Port>& inputs) {
  Part part;
  part.graph = files_.at(row.name);
  part.inputs = core::inferred_inputs(model_, row.name, inputs);
  part.outputs = row.outputs;
  const Faults faults = faults_of(engine, row.name, part);
  const bool sound = faults.one.empty() && faults.two.empty();
  const bool taken = sound || finds_reduced_outputs(engine, row, part) || finds_timestep(engine, row.name, part);
  if (!taken) refuse_faulty(engine, row.name, part, faults);
  model_.parts[row.name] = std::move(part);
}

/// Whether a graph takes what only some models of its family have: flux' guidance.
bool GraphPlan::has_optional_inputs(Engine& engine, const core::PartRow& row) {
  if (row.optional_inputs.empty()) return false;
  Part part;
  part.graph = files_.at(row.name);
  part.inputs = core::inferred_inputs(model_, row.name, inputs_of(row, true));
  part.outputs = row.outputs;
  try {
    fault_of(engine, row.name, part, one_picture);
    return true;
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::model) return false;  // another number of inputs, or what is told when it is tried
    throw;
  }
}

/// The two published kinds of flux differ in what they are told and in how they are sampled.
void GraphPlan::take_flux_recipe(bool guided) {
  const core::Recipe& recipe = *core::find_recipe(guided ? "flux-dev" : "flux-schnell");
  model_.sampling = recipe.sampling;
  model_.defaults = recipe.defaults;
  model_.tokenizers.at("tokenizer_2").length = recipe.tokenizers.at("tokenizer_2").length;
}

void GraphPlan::try_parts(Engine& engine) {
  const core::FamilyRow& family = *core::find_family(model_.family);
  // Text encoders first: they tell how wide a denoiser's context is.
  std::vector<const core::PartRow*> rows;
  for (const core::PartRow& row : family.parts) rows.push_back(&row);
  std::stable_partition(rows.begin(), rows.end(),
                        [](const core::PartRow* row) { return row->name.starts_with("text_encoder"); });
  for (const core::PartRow* row : rows) {
    if (!files_.contains(row->name)) continue;
    try {
      const bool more = has_optional_inputs(engine, *row);
      if (!row->optional_inputs.empty() && !is_like_another_) take_flux_recipe(more);
      probe_part(engine, *row, inputs_of(*row, more));
    } catch (const Error& error) {
      // A graph that the engine refuses is a file that the user named, not a model's.
      if (error.kind() == ErrorKind::model)
        throw Error(ErrorKind::input, error.marked_problem(), error.marked_advice());
      throw;
    }
  }
}

}  // namespace lapis::pipeline
