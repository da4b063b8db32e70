#include "io/report/report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <variant>

#include "core/family/families.hpp"
#include "core/family/spaces.hpp"
#include "core/sampling/schedules.hpp"
#include "core/text/exit_codes.hpp"
#include "io/file/json_text.hpp"
#include "io/model/model_folder.hpp"
#include "io/model/model_writer.hpp"
#include "io/model/weight_digests.hpp"
#include "io/report/json_parts.hpp"
#include "lapis/version.hpp"

namespace lapis::io {
namespace {

using Json = nlohmann::ordered_json;

Json value_json(const core::FieldValue& value) {
  return std::visit([](const auto& held) { return Json(held); }, value);
}

/// Seconds to the millisecond.
double to_millis(double seconds) { return std::round(seconds * 1e3) / 1e3; }

Json fields_json(const Fields& fields) {
  Json json = Json::object();
  for (const auto& [key, value] : fields) json[key] = value_json(value);
  return json;
}

/// What a report says behind the job's fields.
Json run_json(const PictureReport& report) {
  return {{"device", report.device},
          {"dtype", report.dtype},
          {"version", version},
          {"size", {report.width, report.height}},
          {"history", history_json(report.history)},
          {"notes", report.notes},
          {"warnings", report.warnings},
          {"timings", timings_json(report.timings, TimingsOf::job)}};
}

Json parts_json(const Model& model) {
  Json parts = Json::object();
  for (const auto& [name, part] : model.parts) {
    Json weights = Json::array();
    for (const auto& file : part.weights) weights.push_back(name_in(model, file));
    parts[name] = {{"graph", name_in(model, part.graph)},
                   {"weights", weights},
                   {"inputs", ports_json(part.inputs)},
                   {"outputs", ports_json(part.outputs)}};
  }
  return parts;
}

Json tokenizers_json(const Model& model) {
  Json tokenizers = Json::object();
  for (const auto& [name, facts] : model.tokenizers) {
    const bool is_clip = facts.kind == TokenizerKind::clip;
    Json json = {{"kind", core::tokenizer_kind_name(facts.kind)}, {"length", facts.length}};
    if (is_clip) json["start"] = facts.start;
    json["end"] = facts.end;
    json["pad"] = facts.pad;
    if (!is_clip) json["extra_ids"] = facts.extra_ids;
    tokenizers[name] = json;
  }
  return tokenizers;
}

Json identity_json(const Model& model) {
  Json files = Json::object();
  for (const auto& [name, facts] : model.files) files[name] = facts.sha256;
  Json json = {{"name", model.name}, {"family", model.family}, {"files", files}};
  const WeightHashes hashes = weight_hashes(model);
  if (!hashes.model.empty()) json["hashes"]["model"] = hashes.model;
  if (!hashes.vae.empty()) json["hashes"]["vae"] = hashes.vae;
  return json;
}

Json loras_json(const std::vector<Lora>& loras) {
  Json list = Json::array();
  for (const Lora& lora : loras) {
    list.push_back({{"name", lora.name},
                    {"sha256", lora.sha256},
                    {"data_sha256", lora.data_sha256},
                    {"text_encoder", lora.text_encoder},
                    {"denoiser", lora.denoiser},
                    {"in_prompt", lora.in_prompt}});
  }
  return list;
}

}  // namespace

std::string picture_line(const PictureReport& report) {
  Json json = {{"path", report.path},
               {"sha256", report.sha256},
               {"pixels_sha256", report.pixels_sha256},
               {"index", report.index}};
  json.update(fields_json(report.fields));
  json.update(run_json(report));
  return json_text(json);
}

std::string latent_line(const PictureReport& report, const Latent& latent) {
  Json json = {{"path", report.path}, {"sha256", report.sha256}};
  json.update(fields_json(report.fields));
  json["space"] = core::space_name(latent.space);
  json["sigma"] = latent.sigma;
  json["step"] = latent.step;
  json.update(run_json(report));
  return json_text(json);
}

std::string provenance(const Fields& fields, const Model& model, const Attachments& attachments, const Model* then,
                       std::span<const Transcode> history) {
  Json embeddings = Json::object();
  for (const Embedding& embedding : attachments.embeddings) embeddings[embedding.name] = embedding.sha256;
  Json json = {
      {"version", version}, {"job", fields_json(fields)}, {"model", identity_json(model)}, {"embeddings", embeddings}};
  if (!attachments.loras.empty()) json["loras"] = loras_json(attachments.loras);
  if (then != nullptr) json["then"] = identity_json(*then);
  if (!history.empty()) json["history"] = history_json(history);
  return json_text(json);
}

std::string job_output_line(const std::string& line, std::size_t place) {
  const std::string front = json_text({{"line", place}, {"status", "done"}});
  return front.substr(0, front.size() - 1) + "," + line.substr(1);
}

std::string job_failure_line(std::size_t place, const Error& error, const std::string& problem,
                             const std::string& advice) {
  const auto row = std::ranges::find(core::exit_codes(), exit_code(error.kind()), &core::ExitCode::code);
  return json_text(
      {{"line", place},
       {"status", "failed"},
       {"exit", row->code},
       {"error", {{"kind", row->word}, {"problem", problem}, {"advice", advice}, {"fields", error.fields()}}},
       {"version", version}});
}

std::string job_plan_line(std::size_t place, const std::string& id, std::span<const std::string> outputs,
                          const std::string& status) {
  return json_text({{"line", place},
                    {"status", status},
                    {"id", id},
                    {"paths", std::vector<std::string>(outputs.begin(), outputs.end())},
                    {"version", version}});
}

std::string merge_line(std::size_t done, std::size_t of, std::span<const std::string> faults) {
  return json_text({{"done", done},
                    {"of", of},
                    {"faults", std::vector<std::string>(faults.begin(), faults.end())},
                    {"version", version}});
}

std::string progress_line(const std::string& thing, int done, int all, double seconds) {
  const double left = seconds / done * (all - done);
  return json_text(
      {{"progress", thing}, {"done", done}, {"all", all}, {"seconds", to_millis(seconds)}, {"left", to_millis(left)}});
}

std::string skipped_line(const std::string& path, std::optional<int> index) {
  Json json = {{"path", path}, {"skipped", true}};
  if (index) json["index"] = *index;
  json["version"] = version;
  return json_text(json);
}

std::string plan_report(const Fields& fields, std::span<const Checked> routes,
                        const std::optional<std::vector<std::string>>& skipped) {
  Json json = {{"job", fields_json(fields)}, {"routes", Json::parse(check_report(routes)).at("checks")}};
  if (skipped) json["skipped"] = *skipped;
  return json_text(json);
}

std::string model_report(const Model& model) {
  std::uint64_t bytes = 0;
  for (const auto& [name, facts] : model.files) bytes += facts.size;
  Json json = {
      {"name", model.name},
      {"folder", model.folder.string()},
      {"family", model.family},
      {"space", space_json(model.space)},
      {"parts", parts_json(model)},
      {"tokenizers", tokenizers_json(model)},
      {"conditioning",
       {{"zero_empty_negative", model.conditioning.zero_empty_negative}, {"rope_axes", model.conditioning.rope_axes}}},
      {"sampling", sampling_json(model.sampling)},
      {"defaults",
       {{"width", model.defaults.width},
        {"height", model.defaults.height},
        {"steps", model.defaults.steps},
        {"sampler", model.defaults.sampler},
        {"schedule", model.defaults.schedule},
        {"guidance", model.defaults.guidance}}},
      {"files", model.files.size()},
      {"bytes", bytes},
      {"licence", model.licence},
      {"origin", model.origin}};
  if (model.taught) json["taught"] = taught_json(*model.taught);
  return json_text(json);
}

std::string picture_report(const std::string& format, const PictureTexts& facts) {
  Json json = {{"format", format}, {"width", facts.width}, {"height", facts.height}, {"bit_depth", facts.bit_depth}};
  Json texts = Json::object();
  for (const auto& [key, text] : facts.texts) {
    texts[key] = key == "lapis" ? object_in(text).value_or(Json(text)) : Json(text);
  }
  json["texts"] = texts;
  return json_text(json);
}

std::string tokens_report(const EncodedPrompts& encoded, PromptSyntax syntax,
                          const std::vector<std::string>& warnings) {
  Json tokenizers = Json::object();
  for (const auto& [name, chunked] : encoded.prompt) {
    Json chunks = Json::array();
    Json tokens = Json::array();
    for (const TokenChunk& chunk : chunked.chunks) {
      chunks.push_back({{"ids", chunk.ids}, {"weights", chunk.weights}});
      for (const std::int64_t id : chunk.ids) tokens.push_back(id);
    }
    tokenizers[name] = {{"tokens", tokens}, {"count", chunked.count}, {"cut", chunked.cut}, {"chunks", chunks}};
  }
  Json json = tokenizers.front();  // what one tokenizer alone would say stands at the top
  json["syntax"] = core::prompt_syntax_name(syntax);
  json["warnings"] = warnings;
  json["tokenizers"] = tokenizers;
  return json_text(json);
}

std::string table_report(const std::vector<std::vector<std::string>>& rows) {
  Json list = Json::array();
  for (std::size_t i = 1; i < rows.size(); ++i) {
    Json row = Json::object();
    for (std::size_t k = 0; k < rows[i].size(); ++k) row[rows[0][k]] = rows[i][k];
    list.push_back(row);
  }
  return json_text(list);
}

}  // namespace lapis::io
