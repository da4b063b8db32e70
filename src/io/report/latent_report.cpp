#include "io/report/latent_report.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "core/family/spaces.hpp"
#include "core/latent/units.hpp"
#include "core/text/sentence.hpp"
#include "io/file/json_text.hpp"
#include "io/file/text.hpp"
#include "io/latent/latent_file.hpp"
#include "io/picture/infotext.hpp"
#include "io/report/json_parts.hpp"
#include "lapis/version.hpp"

namespace lapis::io {
namespace {

using Json = nlohmann::ordered_json;

/// The recorded job as a document, with the settings under "job" as in a PNG; null where there is none.
Json recorded_document(const Passport& passport) {
  Json document = object_in(passport.job).value_or(Json());
  return document.contains("job") && document["job"].is_object() ? document : Json();
}

/// What the recorded job says of one setting; null where it says nothing.
Json recorded_value(const Passport& passport, const std::string& key) {
  const Json document = recorded_document(passport);
  return document.is_null() ? Json() : document["job"].value(key, Json());
}

/// Picture `index` of a list with commas between; none where there is no such one.
std::optional<std::string> part_of(const std::string& list, int index) {
  std::istringstream stream(list);
  std::string part;
  for (int i = 0; i <= index; ++i) {
    if (!std::getline(stream, part, ',')) return std::nullopt;
  }
  return part;
}

/// The document of one picture of a batch, as its own PNG would have it.
Json picture_document(const Passport& passport, int index) {
  Json document = recorded_document(passport);
  if (document.is_null()) return {{"version", version}};
  Json& job = document["job"];
  if (job.contains("seed") && job["seed"].is_number_unsigned()) {
    job["seed"] = job["seed"].get<std::uint64_t>() + static_cast<std::uint64_t>(index);
  }
  if (job.contains("batch")) job["batch"] = 1;
  if (job.contains("image") && job["image"].is_string()) {
    job["image"] = part_of(job["image"].get<std::string>(), index).value_or(job["image"]);
  }
  return document;
}

std::optional<core::FieldValue> field_value(const Json& json) {
  if (json.is_string()) return json.get<std::string>();
  if (json.is_number_unsigned() && !std::in_range<std::int64_t>(json.get<std::uint64_t>())) {
    return json.get<std::uint64_t>();
  }
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  if (!json.is_array()) return std::nullopt;
  std::vector<std::string> texts;
  for (const Json& item : json) {
    if (!item.is_string()) return std::nullopt;
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

/// The LoRAs that a document records; what is not as this program writes it is passed over.
std::vector<Lora> loras_of(const Json& document) {
  std::vector<Lora> loras;
  if (!document.contains("loras") || !document["loras"].is_array()) return loras;
  const auto text = [](const Json& json, const char* key) {
    return json.contains(key) && json[key].is_string() ? json[key].get<std::string>() : std::string();
  };
  const auto number = [](const Json& json, const char* key) {
    return json.contains(key) && json[key].is_number() ? json[key].get<double>() : 1.0;
  };
  for (const Json& json : document["loras"]) {
    if (!json.is_object() || text(json, "name").empty()) continue;
    loras.push_back({text(json, "name"), text(json, "sha256"), text(json, "data_sha256"), number(json, "text_encoder"),
                     number(json, "denoiser"), json.value("in_prompt", Json(false)) == Json(true)});
  }
  return loras;
}

/// The hashes that a document records of its model, as far as it does.
WeightHashes hashes_of(const Json& document) {
  const Json::json_pointer place("/model/hashes");
  if (!document.contains(place) || !document[place].is_object()) return {};
  const auto text = [&](const char* key) {
    const Json found = document[place].value(key, Json());
    return found.is_string() ? found.get<std::string>() : std::string();
  };
  return {text("model"), text("vae")};
}

/// What AUTOMATIC1111's web UI would write of a document's job; nothing for one that has no prompt.
std::string parameters_of(const Json& document) {
  if (!document.contains("job") || !document["job"].contains("prompt")) return "";
  Fields fields;
  for (const auto& [key, json] : document["job"].items()) {
    if (auto value = field_value(json)) fields.emplace_back(key, std::move(*value));
  }
  std::vector<Embedding> embeddings;
  if (document.contains("embeddings") && document["embeddings"].is_object()) {
    for (const auto& [name, sha256] : document["embeddings"].items()) {
      if (sha256.is_string()) embeddings.push_back({name, sha256.get<std::string>()});
    }
  }
  const std::vector<Lora> loras = loras_of(document);
  const Json recorded = document.value("version", Json(version));
  const std::string program = core::sentence("lapis {}", recorded.is_string() ? recorded.get<std::string>() : version);
  return utf8_text(write_infotext(infotext_of(fields, embeddings, loras, hashes_of(document), program)));
}

Json forced_space_json(const Space& space) {
  Json json = {{"space", core::space_name(space)},
               {"channels", space.channels},
               {"downscale", space.downscale},
               {"scale", space.scale},
               {"shift", space.shift}};
  if (!space.mean.empty()) json["mean"] = space.mean;
  if (!space.deviation.empty()) json["deviation"] = space.deviation;
  return json;
}

}  // namespace

PngText decoded_text(const Passport& passport, const Decoding& decoding) {
  Json document = picture_document(passport, decoding.index);
  PngText text;
  text.parameters = parameters_of(document);
  if (!passport.history.empty()) {
    document["latent"] = {{"space", core::space_name(passport.space)}, {"history", history_json(passport.history)}};
  }
  if (decoding.vae.empty()) document["preview"] = core::space_name(passport.space);
  if (decoding.forced) {
    document["forced"] = {{"latent", forced_space_json(passport.space)},
                          {"vae", forced_space_json(decoding.vae_space)}};
    document["forced"]["vae"]["model"] = decoding.vae;
  }
  text.lapis = json_text(document);
  return text;
}

std::optional<std::uint64_t> recorded_number(const Passport& passport, const std::string& key) {
  const Json value = recorded_value(passport, key);
  return value.is_number_unsigned() ? std::optional(value.get<std::uint64_t>()) : std::nullopt;
}

std::optional<std::string> recorded_text(const Passport& passport, const std::string& key) {
  const Json value = recorded_value(passport, key);
  return value.is_string() ? std::optional(value.get<std::string>()) : std::nullopt;
}

std::string encoding_job(const std::vector<std::string>& pictures, PixelSize size, const std::string& fit,
                         std::optional<std::uint64_t> seed, const Model& model) {
  Fields fields;
  if (seed) fields.emplace_back("seed", *seed);
  fields.emplace_back("width", std::int64_t{size.width});
  fields.emplace_back("height", std::int64_t{size.height});
  fields.emplace_back("image", core::joined(pictures, ","));
  fields.emplace_back("fit", fit);
  fields.emplace_back("model", model.name);
  return provenance(fields, model);
}

std::string decoded_line(const DecodedReport& report) {
  const Decoding& decoding = report.decoding;
  Json json = {
      {"path", report.path},     {"sha256", report.sha256}, {"pixels_sha256", report.pixels_sha256},
      {"index", decoding.index}, {"latent", report.latent}, {"space", core::space_name(report.passport.space)}};
  json["vae"] = text_or_null(decoding.vae);
  json["preview"] = decoding.vae.empty();
  json["forced"] = decoding.forced;
  json["size"] = {report.size.width, report.size.height};
  json["history"] = history_json(report.passport.history);
  json["version"] = version;
  json["notes"] = report.notes;
  json["timings"] = timings_json(report.timings, TimingsOf::latents);
  return json_text(json);
}

std::string latent_file_line(const LatentReport& report) {
  const Passport& passport = report.passport;
  Json json = {{"path", report.path},
               {"sha256", report.sha256},
               {"space", core::space_name(passport.space)},
               {"format", latent_format_row(report.format).name},
               {"form", latent_format_row(report.format).name},
               {"units", core::units_name(passport.units)},
               {"dtype", core::latent_dtype_name(passport.dtype)},
               {"shape", passport.shape},
               {"size", {report.size.width, report.size.height}}};
  if (!report.model.empty()) json["model"] = report.model;
  if (!report.pictures.empty()) json["images"] = report.pictures;
  if (!report.from.empty()) {
    json["from"] = report.from;
    json["route"] = report.route;
    json["psnr"] = psnr_json(report.psnr);
    if (report.plain_psnr) {
      json["psnr_plain"] = psnr_json(report.plain_psnr);
      json["compensated"] = report.compensated;
    }
    json["history"] = history_json(passport.history);
  }
  json["version"] = version;
  json["notes"] = report.notes;
  json["timings"] = timings_json(report.timings, TimingsOf::latents);
  return json_text(json);
}

std::string drift_report(const Model& model, const std::vector<Drift>& drifts) {
  Json list = Json::array();
  for (const Drift& drift : drifts) {
    list.push_back({{"picture", drift.picture},
                    {"size", {drift.size.width, drift.size.height}},
                    {"psnr", psnr_json(std::round(drift.psnr * 100) / 100)},
                    {"shift", drift.shift},
                    {"clipped", drift.clipped}});
  }
  const Json json = {{"model", model.name},
                     {"space", core::space_name(model.space)},
                     {"vae_sha256", vae_digest(model)},
                     {"drift", list}};
  return json_text(json);
}

}  // namespace lapis::io
