// What an import refuses, by its name, with what to do.
#include <algorithm>
#include <filesystem>

#include "core/checkpoint/known_relatives.hpp"
#include "core/family/families.hpp"
#include "core/family/spaces.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "lapis/error.hpp"
#include "pipeline/import/import_plan.hpp"

namespace fs = std::filesystem;

namespace lapis::pipeline {
namespace {

/// How a graph that is not whole departs from what it should be.
std::string faults_text(const core::GraphMatch& match) {
  std::vector<std::string> faults;
  if (match.missing.count > 0) {
    faults.push_back(core::sentence("{} of its {} {} missing: {}", match.missing.count,
                                    core::count_text(match.wanted, "tensor"), match.missing.count == 1 ? "is" : "are",
                                    core::listing_text(match.missing)));
  }
  if (match.shape_mismatch.count > 0) {
    faults.push_back(core::sentence("{} have another shape: {}", match.shape_mismatch.count,
                                    core::listing_text(match.shape_mismatch)));
  }
  return core::joined(faults, ". ");
}

/// The graph that most of a checkpoint fits, where none fits whole.
std::string nearest_text(const core::CheckpointKind& kind) {
  if (kind.nearest.empty()) return "";
  return core::sentence(" Nearest is {}: {}.", kind.nearest.front().graph, faults_text(kind.nearest.front()));
}

[[noreturn]] void refuse_relative(const std::string& name, const core::Relative& relative) {
  throw Error(ErrorKind::input, core::sentence("{} is {}.", name, relative.title), core::advice_for(relative, name));
}

[[noreturn]] void refuse_partial(const std::string& name, const core::GraphMatch& match) {
  throw Error(ErrorKind::input, core::sentence("{} is nearly {}, but {}.", name, match.graph, faults_text(match)),
              "It is another model, or was not written whole: take another export of it");
}

/// What lapis makes models of, in place of something else.
std::string what_is_imported() {
  return core::sentence(
      "lapis imports Stable Diffusion 1.x, SDXL and FLUX.1, and models of the architectures that {lapis list} models "
      "shows");
}

}  // namespace

/// By what a folder of diffusers says of itself, before what its tensors say.
void ImportPlan::refuse_source(const Source& source, const core::Relative& marked) const {
  const core::Relative* pipeline = source.field.empty() ? core::find_pipeline(pipeline_) : nullptr;
  if (pipeline != nullptr) refuse_relative(folder_, *pipeline);
  refuse_relative(source.name, marked);
}

/// What holds nothing that is known, and is known for something else.
void ImportPlan::refuse_strangers() const {
  for (const Source& source : sources_) {
    if (source.kind.relative != nullptr && source.kind.complete.empty()) refuse_source(source, *source.kind.relative);
  }
}

/// Names and titles that may tell one of two networks of the same names and shapes.
std::vector<std::string> ImportPlan::named_parts(const Source& denoiser) const {
  fs::path place = folder_.empty() ? fs::path(denoiser.name) : fs::path(folder_).lexically_normal();
  if (!place.has_filename()) place = place.parent_path();
  std::vector<std::string> names{place.filename().string(), pipeline_};
  for (const auto& [key, value] : denoiser.checkpoint.metadata()) {
    if (key.starts_with("modelspec.") || key.starts_with("general.")) names.push_back(value);
  }
  return names;
}

void ImportPlan::check_twins(const Source& denoiser, const std::string& graph) {
  const std::vector<std::string> names = named_parts(denoiser);
  if (const core::Relative* twin = core::find_twin(graph, names)) {
    const std::string& name = folder_.empty() ? denoiser.name : folder_;
    refuse_relative(name, *twin);
  }
  const core::Relative* twin = pipeline_.empty() ? core::undecided_twin(graph, names) : nullptr;
  if (twin == nullptr) return;
  notes_.push_back(
      core::sentence("{} may be {} as well, by all that it says of itself: that has the same names and "
                     "shapes, and is no use here",
                     denoiser.name, twin->title));
}

void ImportPlan::refuse_unknown() const {
  if (const core::Relative* relative = core::find_pipeline(pipeline_)) refuse_relative(folder_, *relative);
  for (const Source& each : sources_) {
    if (each.kind.relative != nullptr) refuse_relative(each.name, *each.kind.relative);
  }
  for (const Source& each : sources_) {
    for (const core::GraphMatch& match : each.kind.partial) {
      if (match.part == "denoiser") refuse_partial(each.name, match);
    }
  }
  if (!folder_.empty()) {
    throw Error(ErrorKind::input,
                core::sentence("{} holds no denoiser that lapis knows{}.{}", folder_,
                               pipeline_.empty() ? "" : core::sentence(": it is for diffusers' {}", pipeline_),
                               sources_.empty() ? "" : nearest_text(sources_.front().kind)),
                what_is_imported());
  }
  const Source& source = sources_.back();
  if (!source.kind.complete.empty()) {
    const std::string& title = source.kind.title;
    throw Error(ErrorKind::input,
                core::sentence("{} holds no denoiser{}.", source.name,
                               title.empty() ? "" : core::sentence(": it is {}", title)),
                "Name the checkpoint that holds the UNet or the transformer first");
  }
  throw Error(
      ErrorKind::input,
      core::sentence("{} is of an architecture that lapis does not know.{}", source.name, nearest_text(source.kind)),
      what_is_imported());
}

/// A part of what is wanted that is nearly whole, and a VAE of another family.
void ImportPlan::check_near(const Source& source) const {
  const auto is_wanted = [&](const core::GraphMatch& match) {
    return std::ranges::any_of(wanted_,
                               [&](const auto& part) { return library_.architecture_of(part.second) == match.graph; });
  };
  for (const core::GraphMatch& match : source.kind.partial) {
    if (is_wanted(match)) refuse_partial(source.name, match);
  }
  for (const core::GraphMatch& match : source.kind.complete) {
    const bool stands_for_one = !source.field.empty() || lacks("vae_decoder");
    if (!match.part.starts_with("vae") || is_wanted(match) || !stands_for_one) continue;
    throw Error(ErrorKind::incompatible,
                core::sentence("{} has the VAE of another family: its shapes are those of {}, and {} lives in {} ({}).",
                               source.name, match.graph, title_, core::space_name(model_.space),
                               core::space_numbers(model_.space)),
                core::sentence("Name a VAE of that family: {vae}"));
  }
}

/// What a field names and no part is taken from.
void ImportPlan::check_given() const {
  const core::Architecture architecture = core::find_family(model_.family)->architecture;
  for (const Source& source : sources_) {
    const bool taken =
        std::ranges::any_of(parts_, [&](const ImportedPart& part) { return part.checkpoint == &source.checkpoint; });
    if (taken || source.field.empty()) continue;
    const core::Relative* relative = core::find_relative(source.checkpoint.tensors());
    if (relative != nullptr) refuse_relative(source.name, *relative);
    check_near(source);
    const std::string field = core::field_name(source.field);
    const auto wanted = std::ranges::find_if(
        wanted_, [&](const auto& part) { return field_of(part.first, architecture) == source.field; });
    if (wanted == wanted_.end()) {
      throw Error(ErrorKind::usage, core::sentence("{} has no part for {}.", title_, field), "Leave it out");
    }
    std::vector<std::string> holds;
    for (const core::GraphMatch& match : source.kind.complete) holds.push_back(match.graph);
    throw Error(ErrorKind::input,
                core::sentence(
                    "{} ({}) holds no {}, which {} takes as its {}.{}", source.name, field, wanted->second, title_,
                    wanted->first,
                    holds.empty() ? nearest_text(source.kind) : core::sentence(" It holds {}.", core::joined(holds))),
                core::sentence("Name another file: {} FILE", field));
  }
}

/// The required parts that no source holds, with the fields that name them.
void ImportPlan::check_lacking() const {
  std::vector<std::string> lacking;
  const core::Architecture architecture = core::find_family(model_.family)->architecture;
  for (const auto& [part, graph] : wanted_) {
    if (!lacks(part)) continue;
    const std::string field = field_of(part, architecture);
    lacking.push_back(field.empty() ? core::sentence("{} ({})", part, graph)
                                    : core::sentence("{} ({}: {} FILE)", part, graph, core::field_name(field)));
  }
  if (lacking.empty()) return;
  for (const Source& source : sources_) check_near(source);
  throw Error(ErrorKind::usage, core::sentence("this is {}, and it lacks {}.", title_, core::joined(lacking)),
              "Name what is lacking");
}

}  // namespace lapis::pipeline
