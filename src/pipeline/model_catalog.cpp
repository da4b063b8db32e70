#include "pipeline/model_catalog.hpp"

#include <algorithm>
#include <cstdint>
#include <system_error>
#include <utility>

#include "core/family/known_vaes.hpp"
#include "core/family/spaces.hpp"
#include "core/model/model_check.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "io/file/sha256.hpp"
#include "io/latent/latent_file.hpp"
#include "io/model/model_folder.hpp"
#include "pipeline/locations.hpp"

namespace fs = std::filesystem;

namespace lapis::pipeline {
namespace {

using HasDigest = bool (*)(const Model&, const std::string&);

bool records_digest(const Model& model, const std::string& sha256) { return io::vae_digest(model) == sha256; }

/// A file of VAE weights whose owner is known.
struct KnownFile {
  std::string sha256;
  VaeOwner owner;
};

/// Adds the VAE of a model where its file is of so many bytes and holds nothing else: a checkpoint with other parts in
/// it is no evidence.
void add_vae_file(const Model& model, std::uint64_t bytes, std::vector<KnownFile>& known) {
  const auto decoder = model.parts.find("vae_decoder");
  if (decoder == model.parts.end() || decoder->second.weights.size() != 1 || !decoder->second.digest.empty()) return;
  const auto facts = model.files.find(decoder->second.weights.front().lexically_relative(model.folder).string());
  if (facts == model.files.end() || facts->second.size != bytes || facts->second.sha256.empty()) return;
  known.push_back({facts->second.sha256, {core::sentence("the VAE of model {}", model.name), model.space}});
}

}  // namespace

const Model& ModelCatalog::read(const fs::path& folder) {
  std::error_code error;
  fs::path place = fs::canonical(folder, error);
  if (error) place = folder;
  const auto known = models_.find(place);
  if (known != models_.end()) return known->second;
  Model model = io::read_model(folder);
  core::check_model(model);
  return models_.emplace(std::move(place), std::move(model)).first->second;
}

const Model* ModelCatalog::read_sound(const fs::path& folder) {
  try {
    return &read(folder);
  } catch (const Error&) {
    return nullptr;
  }
}

const Model& ModelCatalog::open(const std::string& name) { return read(find_model(name)); }

std::vector<const Model*> ModelCatalog::all() {
  std::vector<const Model*> models;
  for (const fs::path& folder : known_models()) {
    if (const Model* model = read_sound(folder)) models.push_back(model);
  }
  return models;
}

const Model* ModelCatalog::find(const std::function<bool(const Model&)>& matches) {
  for (const fs::path& folder : known_models()) {
    const Model* model = read_sound(folder);
    if (model != nullptr && matches(*model)) return model;
  }
  return nullptr;
}

const Model* ModelCatalog::decoder_of(const Passport& passport) {
  const std::string& digest = passport.vae_sha256;
  for (const HasDigest has_digest : {HasDigest(records_digest), HasDigest(io::has_vae)}) {  // the second reads weights
    const auto decodes = [&](const Model& model) {
      return model.parts.contains("vae_decoder") && core::same_values(model.space, passport.space) &&
             (digest.empty() || has_digest(model, digest));
    };
    const Model* found =
        find([&](const Model& model) { return decodes(model) && core::same_numbers(model.space, passport.space); });
    if (found == nullptr) found = find(decodes);
    if (found != nullptr || digest.empty()) return found;
  }
  return nullptr;
}

const Model* ModelCatalog::encoder_of(const Space& space) {
  const auto encodes = [](const Model& model) { return model.parts.contains("vae_encoder"); };
  const Model* exact =
      find([&](const Model& model) { return encodes(model) && core::same_numbers(model.space, space); });
  if (exact != nullptr) return exact;
  return find([&](const Model& model) { return encodes(model) && core::same_values(model.space, space); });
}

const Model* ModelCatalog::owner_of_weights(const fs::path& weights) {
  std::error_code error;
  const fs::path file = fs::canonical(weights, error);
  if (error) return nullptr;
  return find([&](const Model& model) {
    const auto decoder = model.parts.find("vae_decoder");
    return decoder != model.parts.end() &&
           std::ranges::find(decoder->second.weights, file) != decoder->second.weights.end();
  });
}

std::optional<VaeOwner> ModelCatalog::vae_owner(const fs::path& file) {
  std::error_code error;
  const std::uint64_t bytes = fs::file_size(file, error);
  if (error) return std::nullopt;
  std::vector<KnownFile> known;
  for (const core::KnownVae& row : core::known_vaes()) {
    if (row.bytes == bytes) known.push_back({row.sha256, {row.name, core::find_space(row.space)->space}});
  }
  for (const Model* model : all()) add_vae_file(*model, bytes, known);
  if (known.empty()) return std::nullopt;
  const std::string sha256 = io::sha256_file(file, ErrorKind::input);
  const auto found = std::ranges::find(known, sha256, &KnownFile::sha256);
  return found == known.end() ? std::nullopt : std::optional(found->owner);
}

void ModelCatalog::check_no_output(const std::string& path) const {
  std::error_code ignored;
  const auto is_it = [&](const fs::path& file) { return fs::equivalent(file, path, ignored); };
  for (const auto& each : models_) {
    const Model& model = each.second;
    const bool is_its_file =
        std::ranges::any_of(model.files, [&](const auto& file) { return is_it(model.folder / file.first); });
    if (!is_its_file && !is_it(model.folder / "model.json")) continue;
    throw Error(ErrorKind::usage, core::sentence("{} is a file of model {}, which is in use.", path, model.name),
                "Name another file: a model is never replaced by an output");
  }
}

Space ModelCatalog::space_named(const std::string& name, std::string_view what) {
  if (core::find_space(name.substr(0, name.find(':'))) != nullptr) return core::parse_space(name);
  std::error_code ignored;
  if (name.find('/') != std::string::npos || fs::is_directory(name, ignored)) return read(name).space;
  std::vector<std::string> names;
  for (const fs::path& folder : known_models()) {
    if (folder.filename() == name) return read(folder).space;
    names.push_back(folder.filename());
  }
  for (const core::SpaceRow& row : core::spaces()) names.push_back(row.space.id);
  throw Error(ErrorKind::usage,
              core::sentence("{} is \"{}\", which is no space and no known model.{}", what, name,
                             core::did_you_mean(name, names)),
              core::sentence("There are {}; ID:LINEAGE and a model's folder work too", core::listed(names)));
}

}  // namespace lapis::pipeline
