#include "io/report.hpp"

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <variant>

#include "lapis/version.hpp"

namespace lapis::io {
namespace {

using Json = nlohmann::ordered_json;

/// One line; bytes of a file name that are no UTF-8 become U+FFFD.
std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json value_json(const core::FieldValue& value) {
  if (std::holds_alternative<std::monostate>(value)) return nullptr;
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return *whole;
  return std::get<double>(value);
}

Json fields_json(const Fields& fields) {
  Json json = Json::object();
  for (const auto& [key, value] : fields) json[key] = value_json(value);
  return json;
}

/// Seconds to the microsecond: more digits are noise.
double rounded(double seconds) { return std::round(seconds * 1e6) / 1e6; }

Json timings_json(const RunTimings& run) {
  return {{"read", rounded(run.read)},
          {"tokens", rounded(run.tokens)},
          {"engine", rounded(run.engine)},
          {"load", rounded(run.parts.load)},
          {"text_encoder", rounded(run.parts.text_encoder)},
          {"denoiser", rounded(run.parts.denoiser)},
          {"sampler", rounded(run.parts.sampler)},
          {"vae_decoder", rounded(run.parts.vae_decoder)},
          {"pixels", rounded(run.parts.pixels)},
          {"png", rounded(run.png)},
          {"total", rounded(run.total)}};
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

std::string relative_to(const Model& model, const std::filesystem::path& path) {
  return path.lexically_relative(model.folder).generic_string();
}

Json parts_json(const Model& model) {
  Json parts = Json::object();
  for (const auto& [name, part] : model.parts) {
    Json weights = Json::array();
    for (const auto& file : part.weights) weights.push_back(relative_to(model, file));
    parts[name] = {{"graph", relative_to(model, part.graph)},
                   {"weights", weights},
                   {"inputs", ports_json(part.inputs)},
                   {"outputs", ports_json(part.outputs)}};
  }
  return parts;
}

/// The "lapis" text as the document it is. A foreign one that is none, or is nested so deeply that printing it could
/// exhaust the stack, stays a text.
Json text_json(const PngTextChunk& chunk) {
  constexpr int deepest_nesting = 32;
  if (chunk.key != "lapis") return chunk.text;
  bool too_deep = false;
  const auto watch_depth = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > deepest_nesting;
    return !too_deep;
  };
  const Json parsed = Json::parse(chunk.text, watch_depth, /*allow_exceptions=*/false);
  return parsed.is_object() && !too_deep ? parsed : Json(chunk.text);
}

}  // namespace

std::string picture_line(const PictureReport& report) {
  Json json = {{"path", report.path}, {"sha256", report.sha256}, {"index", report.index}};
  json.update(fields_json(report.fields));
  json["device"] = report.device;
  json["dtype"] = report.dtype;
  json["version"] = version;
  json["warnings"] = report.warnings;
  json["timings"] = timings_json(report.timings);
  return text_of(json);
}

std::string provenance(const Fields& fields, const Model& model) {
  Json files = Json::object();
  for (const auto& [name, facts] : model.files) files[name] = facts.sha256;
  const Json json = {{"version", version},
                     {"job", fields_json(fields)},
                     {"model", {{"name", model.name}, {"family", model.family}, {"files", files}}}};
  return text_of(json);
}

std::string model_report(const Model& model) {
  std::uint64_t bytes = 0;
  for (const auto& [name, facts] : model.files) bytes += facts.size;
  const Json json = {{"name", model.name},
                     {"folder", model.folder.string()},
                     {"family", model.family},
                     {"space",
                      {{"id", model.space.id},
                       {"channels", model.space.channels},
                       {"downscale", model.space.downscale},
                       {"scale", model.space.scale},
                       {"shift", model.space.shift},
                       {"lineage", model.space.lineage}}},
                     {"parts", parts_json(model)},
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
  return text_of(json);
}

std::string png_report(const PngFacts& facts) {
  Json json = {{"width", facts.width}, {"height", facts.height}, {"bit_depth", facts.bit_depth}};
  Json texts = Json::object();
  for (const PngTextChunk& chunk : facts.texts) texts[chunk.key] = text_json(chunk);
  json["texts"] = texts;
  return text_of(json);
}

std::string tokens_report(const core::Tokenized& tokenized) {
  return text_of({{"tokens", tokenized.ids}, {"count", tokenized.count}, {"cut", tokenized.cut}});
}

std::string table_report(const std::vector<std::vector<std::string>>& rows) {
  Json list = Json::array();
  for (std::size_t i = 1; i < rows.size(); ++i) {
    Json row = Json::object();
    for (std::size_t k = 0; k < rows[i].size(); ++k) row[rows[0][k]] = rows[i][k];
    list.push_back(row);
  }
  return text_of(list);
}

}  // namespace lapis::io
