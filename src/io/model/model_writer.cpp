#include "io/model/model_writer.hpp"

#include <nlohmann/json.hpp>
#include <variant>

#include "core/family/families.hpp"
#include "core/sampling/schedules.hpp"
#include "io/file/json_text.hpp"
#include "io/model/model_folder.hpp"

namespace lapis::io {
namespace {

using Json = nlohmann::ordered_json;

Json part_json(const Model& model, const Part& part) {
  Json weights = Json::array();
  for (const std::filesystem::path& file : part.weights) weights.push_back(name_in(model, file));
  Json json = {{"graph", name_in(model, part.graph)},
               {"weights", weights},
               {"inputs", ports_json(part.inputs)},
               {"outputs", ports_json(part.outputs)},
               {"naming", part.key_scheme}};
  if (!part.prefix.empty()) json["prefix"] = part.prefix;
  if (!part.digest.empty()) json["digest"] = part.digest;
  return json;
}

Json tokenizer_json(const Model& model, const TokenizerFacts& facts) {
  if (facts.kind == TokenizerKind::t5) {
    return {{"kind", "t5"},     {"model", name_in(model, facts.model)}, {"length", facts.length}, {"end", facts.end},
            {"pad", facts.pad}, {"extra_ids", facts.extra_ids}};
  }
  return {{"kind", "clip"},
          {"vocabulary", name_in(model, facts.vocabulary)},
          {"merges", name_in(model, facts.merges)},
          {"length", facts.length},
          {"start", facts.start},
          {"end", facts.end},
          {"pad", facts.pad}};
}

Json conditioning_json(const Conditioning& facts) {
  Json json = Json::object();
  if (facts.zero_empty_negative) json["zero_empty_negative"] = true;
  if (!facts.rope_axes.empty()) json["rope_axes"] = facts.rope_axes;
  return json;
}

Json file_json(const FileFacts& facts) {
  Json json = Json::object();
  if (!facts.sha256.empty()) json["sha256"] = facts.sha256;
  json["size"] = facts.size;
  if (facts.modified) json["modified"] = *facts.modified;
  return json;
}

Json flow_shift_json(const FlowShift& shift) {
  if (!shift.dynamic) return {{"dynamic", false}, {"shift", shift.shift}};
  return {{"dynamic", true},
          {"base_shift", shift.base_shift},
          {"max_shift", shift.max_shift},
          {"base_tokens", shift.base_tokens},
          {"max_tokens", shift.max_tokens}};
}

}  // namespace

Json space_json(const Space& space) {
  return {{"id", space.id},       {"channels", space.channels}, {"downscale", space.downscale},
          {"scale", space.scale}, {"shift", space.shift},       {"lineage", space.lineage}};
}

Json ports_json(const std::vector<Port>& ports) {
  Json list = Json::array();
  for (const Port& port : ports) {
    Json shape = Json::array();
    for (const Dimension& size : port.shape) std::visit([&](const auto& v) { shape.push_back(v); }, size);
    list.push_back({{"name", port.name}, {"dtype", port.dtype}, {"shape", shape}});
  }
  return list;
}

Json sampling_json(const SamplingFacts& facts) {
  Json json = {{"prediction", core::prediction_name(facts.prediction)}, {"train_steps", facts.train_steps}};
  if (facts.prediction == Prediction::flow) {
    json["flow_shift"] = flow_shift_json(facts.flow_shift);
    return json;
  }
  json["beta_curve"] = core::beta_curve_row(facts.beta_curve).name;
  json["beta_start"] = facts.beta_start;
  json["beta_end"] = facts.beta_end;
  json["spacing"] = core::spacing_name(facts.spacing);
  json["steps_offset"] = facts.steps_offset;
  if (facts.zero_snr) json["zero_snr"] = true;
  return json;
}

Json taught_json(const Taught& taught) { return {{"subjects", taught.subjects}, {"words", taught.words}}; }

std::string model_document(const Model& model) {
  const Defaults& defaults = model.defaults;
  Json json = {{"version", 1}, {"name", model.name}, {"family", model.family}, {"space", space_json(model.space)}};
  for (const auto& [name, part] : model.parts) json["parts"][name] = part_json(model, part);
  for (const auto& [name, facts] : model.tokenizers) json["tokenizers"][name] = tokenizer_json(model, facts);
  json["sampling"] = sampling_json(model.sampling);
  const Json conditioning = conditioning_json(model.conditioning);
  if (!conditioning.empty()) json["conditioning"] = conditioning;
  json["defaults"] = {{"width", defaults.width},     {"height", defaults.height},     {"steps", defaults.steps},
                      {"sampler", defaults.sampler}, {"guidance", defaults.guidance}, {"schedule", defaults.schedule}};
  json["licence"] = model.licence;
  json["origin"] = model.origin;
  if (model.taught) json["taught"] = taught_json(*model.taught);
  for (const auto& [name, facts] : model.files) json["files"][name] = file_json(facts);
  return json_text(json, 2) + "\n";
}

}  // namespace lapis::io
