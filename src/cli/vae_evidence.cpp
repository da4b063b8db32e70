#include "cli/vae_evidence.hpp"

#include <algorithm>
#include <vector>

#include "cli/crossing.hpp"
#include "core/family/known_vaes.hpp"
#include "core/family/spaces.hpp"
#include "io/file/sha256.hpp"
#include "lapis/error.hpp"
#include "lapis/model.hpp"

namespace fs = std::filesystem;

namespace lapis::cli {
namespace {

struct Candidate {
  std::string sha256;
  VaeOwner owner;
};

/// Files of one VAE alone: a checkpoint with other parts in it is no evidence.
void add_model(const Model& model, std::uint64_t bytes, std::vector<Candidate>& candidates) {
  const auto decoder = model.parts.find("vae_decoder");
  if (decoder == model.parts.end() || decoder->second.weights.size() != 1 || !decoder->second.digest.empty()) return;
  const auto facts = model.files.find(decoder->second.weights.front().lexically_relative(model.folder).string());
  if (facts == model.files.end() || facts->second.size != bytes || facts->second.sha256.empty()) return;
  candidates.push_back({facts->second.sha256, {"the VAE of model " + model.name, model.space}});
}

}  // namespace

std::optional<VaeOwner> vae_owner(const fs::path& file) {
  std::error_code error;
  const std::uint64_t bytes = fs::file_size(file, error);
  if (error) return std::nullopt;
  std::vector<Candidate> candidates;
  for (const core::KnownVae& row : core::known_vaes()) {
    if (row.bytes == bytes) candidates.push_back({row.sha256, {row.name, core::find_space(row.space)->space}});
  }
  known_model([&](const Model& model) {
    add_model(model, bytes, candidates);
    return false;  // all of them
  });
  if (candidates.empty()) return std::nullopt;
  const std::string sha256 = io::sha256_file(file, ErrorKind::input);
  const auto found = std::ranges::find(candidates, sha256, &Candidate::sha256);
  return found == candidates.end() ? std::nullopt : std::optional(found->owner);
}

}  // namespace lapis::cli
