#include "io/model/model_writer.hpp"

#include <nlohmann/json.hpp>

#include "io/file/json_text.hpp"
#include "io/model/model_json.hpp"

namespace lapis::io {
namespace {

using Json = nlohmann::ordered_json;

std::string below(const Model& model, const std::filesystem::path& path) {
  return path.lexically_relative(model.folder).generic_string();
}

Json part_json(const Model& model, const Part& part) {
  Json weights = Json::array();
  for (const std::filesystem::path& file : part.weights) weights.push_back(below(model, file));
  Json json = {{"graph", below(model, part.graph)},
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
    return {{"kind", "t5"},     {"model", below(model, facts.model)}, {"length", facts.length}, {"end", facts.end},
            {"pad", facts.pad}, {"extra_ids", facts.extra_ids}};
  }
  return {{"kind", "clip"},
          {"vocabulary", below(model, facts.vocabulary)},
          {"merges", below(model, facts.merges)},
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

}  // namespace

std::string model_document(const Model& model) {
  const Space& space = model.space;
  const Defaults& defaults = model.defaults;
  Json json = {{"version", 1},
               {"name", model.name},
               {"family", model.family},
               {"space",
                {{"id", space.id},
                 {"channels", space.channels},
                 {"downscale", space.downscale},
                 {"scale", space.scale},
                 {"shift", space.shift},
                 {"lineage", space.lineage}}}};
  for (const auto& [name, part] : model.parts) json["parts"][name] = part_json(model, part);
  for (const auto& [name, facts] : model.tokenizers) json["tokenizers"][name] = tokenizer_json(model, facts);
  json["sampling"] = sampling_json(model.sampling);
  const Json conditioning = conditioning_json(model.conditioning);
  if (!conditioning.empty()) json["conditioning"] = conditioning;
  json["defaults"] = {{"width", defaults.width},     {"height", defaults.height},     {"steps", defaults.steps},
                      {"sampler", defaults.sampler}, {"guidance", defaults.guidance}, {"schedule", defaults.schedule}};
  json["licence"] = model.licence;
  json["origin"] = model.origin;
  for (const auto& [name, facts] : model.files) json["files"][name] = file_json(facts);
  return json_text(json, 2) + "\n";
}

}  // namespace lapis::io
