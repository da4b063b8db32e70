#include "pipeline/import/import_model.hpp"

#include <algorithm>
#include <future>
#include <map>
#include <optional>
#include <system_error>
#include <utility>

#include "core/family/spaces.hpp"
#include "core/stopwatch.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "io/file/mapped_file.hpp"
#include "io/model/model_weights.hpp"
#include "lapis/error.hpp"
#include "pipeline/engine_door.hpp"
#include "pipeline/import/import_sampling.hpp"
#include "pipeline/locations.hpp"
#include "pipeline/output_names.hpp"

namespace fs = std::filesystem;

namespace lapis::pipeline {
namespace {

/// Where the model goes, knowing what it is made of.
ImportTarget target_of(const ImportAsked& asked) {
  ImportTarget target = asked.target;
  if (target.dry_run) target.copy = target.verify = false;
  const ImportSources& sources = asked.sources;
  target.sources = sources.main;
  for (const std::string& file : {sources.vae, sources.clip_l, sources.clip_g, sources.t5xxl, sources.tokenizer}) {
    if (!file.empty()) target.sources.push_back(file);
  }
  return target;
}

/// A source by its own name, which "." and ".." have too.
fs::path source_path(const std::string& source) {
  std::error_code error;
  const fs::path path = fs::absolute(source, error).lexically_normal();
  return path.has_filename() ? path : path.parent_path();
}

/// The name of a model out of the name of what it comes from.
std::string name_of(const std::string& source) {
  const fs::path path = source_path(source);
  std::error_code error;
  std::string name = fs::is_directory(path, error) ? path.filename() : path.stem();
  for (char& c : name) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    if (!plain) c = '-';
  }
  return name;
}

/// The name of the model: the one that is asked for, else its source's, or of graphs its folder's.
std::string model_name(const ImportAsked& asked) {
  if (!asked.target.name.empty()) return asked.target.name;
  if (!asked.has_graphs()) return name_of(asked.sources.main.front());
  if (!asked.target.output.empty()) return name_of(asked.target.output);
  throw Error(ErrorKind::usage, core::sentence("files have no name for a model. Give it one: {name} NAME"));
}

/// Whether a word beside graphs is a checkpoint's all the same.
bool names_checkpoint_source(const std::string& word) {
  std::error_code ignored;
  return word.ends_with(".safetensors") || fs::is_directory(word, ignored);
}

void check_graph_words(const ImportAsked& asked) {
  if (!asked.graphs.family.empty() && !asked.graphs.like.empty()) {
    throw Error(ErrorKind::usage,
                core::sentence("{family} and {like} both say what the graphs are. Give one of the two"));
  }
  const ImportSources& sources = asked.sources;
  if (sources.main.empty() && (sources.vae + sources.clip_l + sources.clip_g + sources.t5xxl).empty()) return;
  throw Error(ErrorKind::usage,
              core::sentence("{torchscript} makes a model of graphs alone, and does not go with a checkpoint."),
              core::sentence("Name every part as {torchscript} PART=FILE, or import the checkpoint"));
}

void check_checkpoint_words(const ImportAsked& asked) {
  if (asked.sources.main.empty()) {
    throw Error(ErrorKind::usage, core::sentence("there is nothing to import. Name a diffusers folder, a checkpoint's "
                                                 "files, or TorchScript files ({torchscript})"));
  }
  if (!asked.graphs.family.empty() || !asked.graphs.like.empty()) {
    throw Error(ErrorKind::usage, core::sentence("{family} and {like} are for {torchscript}: a checkpoint says itself "
                                                 "what it is. Leave them out"));
  }
  if (!asked.compute.empty()) {
    throw Error(ErrorKind::usage, core::sentence("{} is for {torchscript}, whose parts are tried. Leave it out",
                                                 core::field_name(*asked.compute.begin())));
  }
}

/// The import of a checkpoint, from a plan to a folder.
class CheckpointImport {
 public:
  CheckpointImport(const ImportAsked& asked, ModelCatalog& catalog)
      : asked_(asked), plan_(asked.sources, catalog), model_(plan_.model()) {}

  io::ImportReport run() {
    model_.name = model_name(asked_);
    if (!asked_.lineage.empty()) model_.space.lineage = asked_.lineage;
    model_.licence = asked_.licence;
    model_.origin = std::string(imported) + source_path(asked_.sources.main.front()).filename().string();
    check_numbers();
    const fs::path place = make_model(model_, target_of(asked_), [&](ModelFolderBuilder& draft) {
      take_parts(draft);
      take_tokenizers(draft);
      widened_ = io::weight_facts(model_).widened;
    });
    return report(place);
  }

 private:
  void check_numbers() const {
    for (const ImportedPart& part : plan_.parts()) {
      const io::WeightFaults faults = part.checkpoint->faults_of(part.match, part.graph.known, asked_.target.verify);
      if (faults.count == 0) continue;
      const std::vector<fs::path> files = part.checkpoint->files_of(part.match, part.graph.known);
      throw Error(ErrorKind::input,
                  core::sentence("{}: part {} has {} with numbers that are not finite: {}.", files.front().string(),
                                 part.part, core::count_text(faults.count, "tensor"), faults.first),
                  "Nothing can be drawn with it. Take another checkpoint, or this one in another precision.");
    }
  }

  void take_parts(ModelFolderBuilder& draft) {
    std::map<std::string, std::future<std::string>> digests;
    for (const ImportedPart& part : plan_.parts()) {
      if (!part.part.starts_with("vae") || asked_.target.dry_run) continue;
      digests[part.part] =
          std::async(std::launch::async, [&part] { return part.checkpoint->digest_of(part.match, part.graph.known); });
    }
    for (const ImportedPart& imported : plan_.parts()) {
      Part part;
      part.graph = draft.put(imported.graph.file, "graphs/" + imported.part + ".pt");
      for (const fs::path& file : imported.checkpoint->files_of(imported.match, imported.graph.known)) {
        part.weights.push_back(draft.link(file));
      }
      part.inputs = imported.graph.inputs;
      part.outputs = imported.graph.outputs;
      part.key_scheme = core::key_scheme_row(imported.match.key_scheme).name;
      part.prefix = imported.match.prefix;
      if (digests.contains(imported.part)) part.digest = digests.at(imported.part).get();
      model_.parts[imported.part] = std::move(part);
    }
  }

  void take_tokenizers(ModelFolderBuilder& draft) {
    for (auto& [name, facts] : model_.tokenizers) draft.take_tokenizer(name, facts);
  }

  /// A model of the same name that is no longer found by it.
  std::optional<fs::path> hidden_model(const fs::path& place) const {
    if (!asked_.target.output.empty() || asked_.target.dry_run) return std::nullopt;
    std::error_code error;
    for (const fs::path& folder : model_places()) {
      const fs::path other = folder / model_.name;
      if (fs::exists(other / "model.json", error) && !fs::equivalent(other, place, error)) return other;
    }
    return std::nullopt;
  }

  io::ImportReport report(const fs::path& place) const {
    std::vector<std::string> notes = plan_.notes();
    if (widened_ > 0) {
      notes.push_back(
          core::sentence("weights in half precision take {} of memory where they are widened to fp32: on "
                         "a CPU, unless {dtype} says otherwise",
                         core::bytes_text(widened_)));
    }
    if (const auto hidden = hidden_model(place)) {
      notes.push_back(core::sentence("{-model} {} means this model from now on, and {} by its path", model_.name,
                                     hidden->string()));
    }
    io::ImportReport report{
        place.string(), model_.name,     plan_.title(), model_.family, core::space_name(model_.space), {},
        notes,          watch_.seconds()};
    for (const ImportedPart& part : plan_.parts()) {
      std::vector<std::string> files;
      for (const fs::path& file : part.checkpoint->files_of(part.match, part.graph.known))
        files.push_back(file.string());
      report.parts.push_back({part.part, part.graph.known.name, core::key_scheme_row(part.match.key_scheme).name,
                              part.checkpoint->dtypes_of(part.match, part.graph.known), std::move(files)});
    }
    return report;
  }

  const ImportAsked& asked_;
  const core::Stopwatch watch_;
  ImportPlan plan_;
  Model model_;
  std::uint64_t widened_ = 0;  ///< bytes of memory
};

/// The import of graphs that hold their weights.
class GraphsImport {
 public:
  GraphsImport(const ImportAsked& asked, ModelCatalog& catalog)
      : asked_(asked), plan_(plan_graphs(asked.graphs, asked.sources.tokenizer, catalog)) {}

  io::ImportReport run() {
    const std::string own_name = model_name(asked_);
    EngineDoor door(asked_.engine);
    ProbedGraphs probed = probe_graphs(plan_, door.engine());
    model_ = std::move(probed.model);
    notes_ = std::move(probed.notes);
    model_.name = own_name;
    if (!asked_.lineage.empty()) model_.space.lineage = asked_.lineage;
    SamplingSources sampling;
    sampling.title = core::sentence("family {}", model_.family);
    sampling.wish = asked_.sources.sampling;
    decide_sampling(sampling, model_, notes_);
    model_.licence = asked_.licence;
    model_.origin = std::string(imported) + "TorchScript files";
    const std::map<std::string, Part> parts = std::exchange(model_.parts, {});
    const fs::path place = make_model(model_, target_of(asked_), [&](ModelFolderBuilder& draft) {
      for (const auto& [name, part] : parts) take_part(draft, name, part);
      for (auto& [name, facts] : model_.tokenizers) draft.take_tokenizer(name, facts);
    });
    return report(place, parts);
  }

 private:
  void take_part(ModelFolderBuilder& draft, const std::string& name, Part part) {
    part.graph = draft.link(part.graph, "graphs", true);
    const std::string below = part.graph.lexically_relative(model_.folder).generic_string();
    if (name.starts_with("vae")) part.digest = model_.files.at(below).sha256;
    model_.parts[name] = std::move(part);
  }

  io::ImportReport report(const fs::path& place, const std::map<std::string, Part>& parts) const {
    io::ImportReport report{place.string(),
                            model_.name,
                            core::sentence("graphs of family {}", model_.family),
                            model_.family,
                            core::space_name(model_.space),
                            {},
                            notes_,
                            watch_.seconds()};
    for (const auto& [name, part] : parts) report.parts.push_back({name, "its own", "", "", {part.graph.string()}});
    return report;
  }

  const ImportAsked& asked_;
  const core::Stopwatch watch_;
  GraphPlan plan_;
  Model model_;
  std::vector<std::string> notes_;
};

}  // namespace

ImportAsked sorted_import(ImportAsked asked) {
  core::check_words(asked.sources.sampling);
  if (!asked.graphs.family.empty()) check_family(asked.graphs.family);
  std::vector<std::string>& words = asked.sources.main;
  if (asked.has_graphs()) {
    const auto first = std::stable_partition(words.begin(), words.end(), names_checkpoint_source);
    asked.graphs.graphs.insert(asked.graphs.graphs.end(), first, words.end());
    words.erase(first, words.end());
    check_graph_words(asked);
  } else {
    check_checkpoint_words(asked);
  }
  if (output_name(asked.target.output) == "-") {
    throw Error(ErrorKind::usage, core::sentence("{-output} - is standard output, and a model is a folder. Name one"));
  }
  return asked;
}

std::optional<fs::path> model_that_stays(const ImportAsked& asked) {
  if (!asked.target.skip_existing) return std::nullopt;
  const fs::path place = destination(model_name(asked), asked.target);
  if (!io::is_file(place / "model.json")) return std::nullopt;
  std::error_code error;
  const fs::path whole = fs::canonical(place, error);  // as of a model that is made
  return error ? place : whole;
}

io::ImportReport import_model(const ImportAsked& asked, ModelCatalog& catalog) {
  return asked.has_graphs() ? GraphsImport(asked, catalog).run() : CheckpointImport(asked, catalog).run();
}

}  // namespace lapis::pipeline
