#include "io/model/weight_digests.hpp"

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <system_error>

#include "io/file/atomic_file.hpp"
#include "io/file/json_text.hpp"
#include "io/file/sha256.hpp"
#include "lapis/error.hpp"

namespace lapis::io {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

/// The name in `Model::files` of the one file with a part's weights; empty where there are several, or none.
std::string weights_of(const Model& model, const char* part) {
  const auto found = model.parts.find(part);
  if (found == model.parts.end() || found->second.weights.size() != 1) return "";
  const fs::path& weights = found->second.weights.front();  // free of symbolic links
  const std::string usual = weights.lexically_relative(model.folder).string();
  if (model.files.contains(usual)) return usual;
  for (const auto& [name, facts] : model.files) {
    std::error_code gone;
    if (fs::canonical(model.folder / name, gone) == weights && !gone) return name;
  }
  return "";
}

/// The names of the denoiser's file and of the VAE's, which is empty where that is the same.
std::pair<std::string, std::string> hashed_files(const Model& model) {
  const std::string denoiser = weights_of(model, "denoiser");
  const std::string vae = weights_of(model, "vae_decoder");
  return {denoiser, vae == denoiser ? "" : vae};
}

}  // namespace

WeightHashes weight_hashes(const Model& model) {
  constexpr std::size_t shown = 10;
  const auto hash_of = [&](const std::string& name) {
    return name.empty() ? "" : model.files.at(name).sha256.substr(0, shown);
  };
  const auto [denoiser, vae] = hashed_files(model);
  return {hash_of(denoiser), hash_of(vae)};
}

std::vector<std::string> unknown_weight_digests(const Model& model) {
  std::vector<std::string> names;
  const auto [denoiser, vae] = hashed_files(model);
  for (const std::string& name : {denoiser, vae}) {
    if (!name.empty() && model.files.at(name).sha256.empty()) names.push_back(name);
  }
  return names;
}

std::optional<std::string> file_digest(const Model& model, const std::string& name, const std::stop_token& stop) {
  return sha256_file(model.folder / name, ErrorKind::model, stop);
}

void record_digests(const Model& model, const std::map<std::string, std::string>& digests) {
  const fs::path path = model.folder / "model.json";
  std::ifstream file(path);
  Json document = Json::parse(file, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object() || !document.contains("files") || !document["files"].is_object()) return;
  bool changed = false;
  for (const auto& [name, digest] : digests) {
    const FileFacts& read = model.files.at(name);
    const auto found = document["files"].find(name);
    if (found == document["files"].end()) continue;  // the model was made anew
    Json& facts = *found;
    const bool same = facts.is_object() && facts.value("size", Json()) == Json(read.size) &&
                      (!read.modified || facts.value("modified", Json()) == Json(*read.modified));
    if (!same || facts.contains("sha256")) continue;
    facts["sha256"] = digest;
    changed = true;
  }
  if (!changed) return;
  const std::string text = json_text(document, 2) + "\n";
  write_file(path, std::as_bytes(std::span(text)), /*overwrite=*/true);
}

}  // namespace lapis::io
