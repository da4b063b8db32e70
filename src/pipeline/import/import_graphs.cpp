#include "pipeline/import/import_graphs.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/family/families.hpp"
#include "core/family/recipes.hpp"
#include "core/family/spaces.hpp"
#include "core/model/part_probe.hpp"
#include "core/text/choice.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "io/file/mapped_file.hpp"
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
constexpr const char* export_again = "Export it as docs/model-folder.md has its inputs and outputs";

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

/// The recipe of a published model of this family; null where none is known.
const core::Recipe* recipe_of(const std::string& family) {
  const auto recipe = std::ranges::find(core::recipes(), family, &core::Recipe::family);
  return recipe == core::recipes().end() ? nullptr : &*recipe;
}

void take_family(Model& model, const std::string& name) {
  check_family(name);
  const core::Recipe* recipe = recipe_of(name);
  if (recipe == nullptr) {
    throw Error(ErrorKind::usage,
                core::sentence("{family} {}: no model of it came with lapis to take the schedule from.", name),
                core::sentence("Name one of yours: {like} MODEL"));
  }
  model.family = name;
  model.space = core::find_space(core::find_family(name)->space)->space;
  model.sampling = recipe->sampling;
  model.defaults = recipe->defaults;
  model.conditioning = recipe->conditioning;
  model.tokenizers = recipe->tokenizers;
}

void choose_family(GraphPlan& plan, const GraphSources& sources, ModelCatalog& catalog) {
  if (sources.family.empty() == sources.like.empty()) {
    throw Error(
        ErrorKind::usage,
        core::sentence("a graph does not say what it was trained for. Name a family ({family} sd15), or a model "
                       "whose space, schedule and tokenizers it has ({like} MODEL)"));
  }
  if (sources.like.empty()) return take_family(plan.model, sources.family);
  plan.is_like_another = true;
  plan.model = catalog.open(sources.like);
  plan.model.parts.clear();
  plan.model.files.clear();
  plan.model.taught.reset();  // of other weights
}

void choose_files(GraphPlan& plan, const std::vector<std::string>& words) {
  const core::FamilyRow& family = *core::find_family(plan.model.family);
  const std::vector<std::string> known = core::row_names(family.parts);
  for (const std::string& word : words) {
    const std::size_t sign = word.find('=');
    const fs::path file = sign == std::string::npos ? word : word.substr(sign + 1);
    const std::string part = sign == std::string::npos ? file.stem().string() : word.substr(0, sign);
    if (std::find(known.begin(), known.end(), part) == known.end()) {
      throw Error(ErrorKind::usage,
                  core::sentence("{torchscript} {}: there is no part \"{}\"; family {} has {}.{}", word, part,
                                 plan.model.family, core::listed(known), core::did_you_mean(part, known)),
                  core::sentence("Say which it is: {torchscript} PART={}", file.string()));
    }
    io::check_graph_archive(file, ErrorKind::input);
    if (!plan.files.emplace(part, file).second) {
      throw Error(ErrorKind::usage, core::sentence("{torchscript} names {} twice. Name each part once", part));
    }
  }
  std::vector<std::string> lacking;
  for (const core::PartRow& row : family.parts) {
    if (row.required && !plan.files.contains(row.name)) lacking.push_back(row.name);
  }
  if (!lacking.empty()) {
    throw Error(ErrorKind::usage,
                core::sentence("a model of family {} needs {} too.", plan.model.family, core::joined(lacking)),
                core::sentence("Name the files: {torchscript} PART=FILE ..."));
  }
}

void choose_tokenizers(Model& model, const std::string& tokenizer) {
  check_tokenizer_wanted(model, core::sentence("family {}", model.family), tokenizer);
  for (auto& [name, facts] : model.tokenizers) {
    if (facts.kind == TokenizerKind::clip) {
      if (!facts.vocabulary.empty()) continue;  // of the model that it is like
      facts.vocabulary = bundled_folder("tokenizers") / "clip" / "vocab.json";
      facts.merges = bundled_folder("tokenizers") / "clip" / "merges.txt";
      continue;
    }
    if (!tokenizer.empty())
      facts.model = io::is_file(tokenizer) ? fs::path(tokenizer) : fs::path(tokenizer) / "spiece.model";
    if (io::is_file(facts.model)) {
      check_t5_tokenizer(facts);
      continue;
    }
    throw Error(ErrorKind::usage, "T5 needs its tokenizer, a SentencePiece model (spiece.model of google/t5-v1_1-xxl).",
                core::sentence("Name it: {tokenizer} FILE"));
  }
}

/// The probes of one `probe_graphs`.
class Probing {
 public:
  Probing(const GraphPlan& plan, Engine& engine) : plan_(plan), engine_(engine), probed_{plan.model, {}} {}

  ProbedGraphs run() {
    const core::FamilyRow& family = *core::find_family(plan_.model.family);
    // Text encoders first: they tell how wide a denoiser's context is.
    std::vector<const core::PartRow*> rows;
    for (const core::PartRow& row : family.parts) {
      if (plan_.files.contains(row.name)) rows.push_back(&row);
    }
    std::stable_partition(rows.begin(), rows.end(),
                          [](const core::PartRow* row) { return row->name.starts_with("text_encoder"); });
    for (const core::PartRow* row : rows) {
      try {
        take(*row);
      } catch (const Error& error) {
        // A graph that the engine refuses is a file that the user named, not a model's.
        if (error.kind() != ErrorKind::model) throw;
        throw Error(ErrorKind::input, error.marked_problem(), error.marked_advice());
      }
    }
    return std::move(probed_);
  }

 private:
  /// One run of a part, and what is wrong with it; empty where nothing is.
  struct Probe {
    std::string fault;
    ProbeResult result;
  };

  /// What is wrong with a part on one picture, and on two of another size; empty where nothing is.
  struct Faults {
    std::string one;
    std::string two;
    bool ran = false;  ///< on one picture, though what it gave back was wrong
    std::string input_names;

    bool none() const { return one.empty() && two.empty(); }
  };

  Model& model() { return probed_.model; }
  std::string file_name(const std::string& part) const { return plan_.files.at(part).filename().string(); }

  [[noreturn]] void refuse(const std::string& name, const std::string& what, const std::string& advice) const {
    throw Error(ErrorKind::incompatible,
                core::sentence("{} does not fit as {}: it {}.", plan_.files.at(name).string(), name, what), advice);
  }

  Part part_of(const core::PartRow& row, bool optional_too) {
    Part part;
    part.graph = plan_.files.at(row.name);
    part.inputs = core::inferred_inputs(model(), row.name, inputs_of(row, optional_too));
    part.outputs = row.outputs;
    return part;
  }

  Probe probed(const std::string& name, const Part& part, const ProbePictures& pictures) {
    const std::vector<ProbeInput> inputs = core::probe_inputs(model(), name, part.inputs, pictures);
    ProbeResult result = engine_.probe_part(part, name, inputs);
    const auto fault = core::probe_fault(model(), name, part.outputs, pictures, inputs, result);
    return {fault.value_or(""), std::move(result)};
  }

  /// Probes a part on both kinds of pictures. On success the part has the sizes of its outputs.
  Faults faults_of(const std::string& name, Part& part) {
    const Probe one = probed(name, part, one_picture);
    Faults faults{one.fault, "", one.result.fault.empty(), one.result.input_names};
    if (!one.fault.empty()) return faults;
    Part with_sizes = part;
    with_sizes.outputs = core::inferred_outputs(part.outputs, one.result);
    faults.two = probed(name, with_sizes, two_pictures).fault;
    if (faults.two.empty()) part = std::move(with_sizes);
    return faults;
  }

  void take(const core::PartRow& row) {
    const bool more = has_optional_inputs(row);
    if (!row.optional_inputs.empty() && !plan_.is_like_another) take_flux_recipe(more);
    Part part = part_of(row, more);
    const Faults faults = faults_of(row.name, part);
    const bool taken = faults.none() || finds_reduced_outputs(row, part) || finds_timestep(row.name, part);
    if (!taken) refuse_faulty(row.name, part, faults);
    model().parts[row.name] = std::move(part);
  }

  /// Whether a graph takes what only some models of its family have: flux' guidance.
  bool has_optional_inputs(const core::PartRow& row) {
    if (row.optional_inputs.empty()) return false;
    const Part part = part_of(row, true);
    try {
      probed(row.name, part, one_picture);
      return true;
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::model) return false;  // another number of inputs, or what only the run shows
      throw;
    }
  }

  /// The two published kinds of flux differ in their inputs and in how they are sampled.
  void take_flux_recipe(bool guided) {
    const core::Recipe& recipe = *core::find_recipe(guided ? "flux-dev" : "flux-schnell");
    model().sampling = recipe.sampling;
    model().defaults = recipe.defaults;
    model().tokenizers.at("tokenizer_2").length = recipe.tokenizers.at("tokenizer_2").length;
  }

  /// Tries whether a part gives back less that will do.
  bool finds_reduced_outputs(const core::PartRow& row, Part& part) {
    for (const std::vector<Port>& outputs : row.reduced_outputs) {
      Part other = part;
      other.outputs = outputs;
      if (!faults_of(row.name, other).none()) continue;
      part = std::move(other);
      probed_.notes.push_back(core::sentence("{} gives back its last layer alone: there is none to skip ({clip_skip})",
                                             file_name(row.name)));
      return true;
    }
    return false;
  }

  /// Tries the other ways in which exporters let a denoiser take its timestep. Whether one of them works.
  bool finds_timestep(const std::string& name, Part& part) {
    const std::array<std::pair<std::string, std::vector<Dimension>>, 3> ways = {
        {{"f32", {}}, {"i64", {"batch"}}, {"i64", {}}}};
    for (const auto& [dtype, shape] : ways) {
      const auto inputs = with_timestep(part.inputs, dtype, shape);
      if (!inputs) return false;
      Part other = part;
      other.inputs = *inputs;
      if (!faults_of(name, other).none()) continue;
      if (dtype == "i64") {
        refuse(name, "takes its timestep as whole numbers alone, and samplers go between them",
               "Export it with a timestep of float32");
      }
      part = std::move(other);
      probed_.notes.push_back(core::sentence("{} takes its timestep as one number for all pictures", file_name(name)));
      return true;
    }
    return false;
  }

  /// Says what does not fit, after asking which of the probed numbers it lies on.
  [[noreturn]] void refuse_faulty(const std::string& name, const Part& part, const Faults& faults) {
    const std::string one = core::pictures_text(one_picture);
    if (!faults.two.empty()) {
      const bool size = probed(name, part, {2, one_picture.width, one_picture.height}).fault.empty();
      refuse(name,
             core::sentence("runs for {} and not for {}: it {}", one, core::pictures_text(two_pictures), faults.two),
             core::sentence("{} was fixed when it was traced: trace it for two pictures of an odd size",
                            size ? "The size" : "The number of pictures"));
    }
    const ProbePictures usual{1, model().defaults.width, model().defaults.height};
    if (!faults.ran && probed(name, part, usual).fault.empty()) {
      refuse(name, core::sentence("runs for {} and not for {}: it {}", core::pictures_text(usual), one, faults.one),
             "The size was fixed when it was traced: trace it for two pictures of an odd size");
    }
    if (faults.ran) refuse(name, faults.one, export_again);
    std::vector<std::string> given;
    for (const Port& port : part.inputs) given.push_back(port.name);
    refuse(name, faults.one,
           core::sentence("It calls its inputs {}, and is given {}. {}", faults.input_names, core::joined(given),
                          export_again));
  }

  const GraphPlan& plan_;
  Engine& engine_;
  ProbedGraphs probed_;
};

}  // namespace

std::vector<std::string> graph_families() {
  std::vector<std::string> names = core::row_names(core::families());
  std::erase_if(names, [](const std::string& name) { return recipe_of(name) == nullptr; });
  return names;
}

void check_family(const std::string& name) {
  if (core::find_family(name) == nullptr) core::refuse_word(core::field_name("family"), name, graph_families());
}

void check_tokenizer_wanted(const Model& model, const std::string& title, const std::string& tokenizer) {
  const auto is_t5 = [](const auto& each) { return each.second.kind == TokenizerKind::t5; };
  if (tokenizer.empty() || std::ranges::any_of(model.tokenizers, is_t5)) return;
  throw Error(
      ErrorKind::usage,
      core::sentence("{tokenizer} {}: {} has no T5, whose tokenizer that would be. Leave it out", tokenizer, title));
}

GraphPlan plan_graphs(const GraphSources& sources, const std::string& tokenizer, ModelCatalog& catalog) {
  GraphPlan plan;
  choose_family(plan, sources, catalog);
  choose_files(plan, sources.graphs);
  choose_tokenizers(plan.model, tokenizer);
  return plan;
}

ProbedGraphs probe_graphs(const GraphPlan& plan, Engine& engine) { return Probing(plan, engine).run(); }

}  // namespace lapis::pipeline
