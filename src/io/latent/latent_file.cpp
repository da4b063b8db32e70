#include "io/latent/latent_file.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>

#include "core/checkpoint/checkpoint_names.hpp"
#include "core/latent/units.hpp"
#include "io/checkpoint/checkpoint.hpp"
#include "io/file/safetensors.hpp"
#include "io/file/sha256.hpp"
#include "io/file/text.hpp"
#include "io/graph/graph_archive.hpp"
#include "io/latent/latent_metadata.hpp"
#include "io/latent/latent_numbers.hpp"
#include "io/model/model_folder.hpp"
#include "lapis/error.hpp"

namespace lapis::io {
namespace {

/// A latent's file with its numbers not yet looked at.
struct OpenLatent {
  Passport passport;
  std::map<std::string, std::string> extra;
  TensorView latent;
  std::vector<TensorView> memory;
};

void check_memory(const OpenLatent& open, std::size_t tensors, const std::string& name) {
  if (open.memory.size() + 1 != tensors) {
    fail_latent(name, "has tensors beside \"latent\" that are not \"memory.0\", \"memory.1\" and so on");
  }
  if (open.memory.empty()) return;
  if (open.passport.sigma == 0) fail_latent(name, "has tensors \"memory.N\", but is finished: its sigma is 0");
  for (const TensorView& memory : open.memory) {
    if (memory.dtype != Dtype::f32 || memory.shape != open.latent.shape) {
      fail_latent(name, "has a tensor \"memory.N\" that is not F32 or not of the latent's shape");
    }
  }
  const auto numbers = static_cast<std::int64_t>(open.memory.front().data.size() / sizeof(float));
  if (numbers * static_cast<std::int64_t>(tensors) > most_latent_numbers) {
    fail_latent(name, "holds more than 1,000,000,000 numbers in all, the most that are read");
  }
}

OpenLatent open_latent(std::span<const std::byte> file, const std::string& name) {
  Safetensors content = parse_latent_container(file, name);
  const auto found = content.tensors.find("latent");
  if (found == content.tensors.end()) fail_latent(name, "has no tensor \"latent\"");
  OpenLatent open;
  open.latent = found->second;
  open.passport = passport_of(content.metadata, latent_dtype(open.latent, name), latent_shape(open.latent, name), name);
  while (true) {
    const auto memory = content.tensors.find("memory." + std::to_string(open.memory.size()));
    if (memory == content.tensors.end()) break;
    open.memory.push_back(memory->second);
  }
  check_memory(open, content.tensors.size(), name);
  for (auto& [key, text] : content.metadata) {
    if (key.starts_with(foreign_prefix)) open.extra.emplace(key, std::move(text));
  }
  return open;
}

constexpr std::array vae_parts = {"vae_encoder", "vae_decoder"};

std::string digest_lines(const Model& model, const Part& part) {
  if (!part.digest.empty()) return part.digest + "\n";
  std::vector<std::filesystem::path> files = part.weights;
  if (files.empty()) files.push_back(part.graph);
  std::string lines;
  for (const std::filesystem::path& file : files) {
    lines += model.files.at(name_in(model, file)).sha256 + "\n";
  }
  return lines;
}

/// Whether a file holds weights of the VAE alone, as far as the model's parts go.
bool is_vae_file(const Model& model, const std::filesystem::path& file) {
  return std::ranges::all_of(model.parts, [&](const auto& named) {
    const bool of_vae = std::ranges::find(vae_parts, named.first) != vae_parts.end();
    return of_vae || std::ranges::find(named.second.weights, file) == named.second.weights.end();
  });
}

/// What `digest_lines` would be, had the model recorded tensors in place of files, or files in place of tensors; ""
/// where it could not have.
std::string other_digest_lines(const Model& model, const Part& part) {
  if (part.weights.empty()) return digest_lines(model, part);  // a graph that holds its weights has one digest
  if (part.digest.empty()) {
    const core::KnownGraph graph{"", "", graph_parameters(part.graph)};
    const core::KeySchemeRow* row = core::find_key_scheme(part.key_scheme);
    if (row == nullptr) return "";
    core::GraphMatch match;
    match.key_scheme = row->key_scheme;
    match.prefix = part.prefix;
    return Checkpoint(part.weights).digest_of(match, graph) + "\n";
  }
  std::string lines;
  for (const std::filesystem::path& file : part.weights) {
    if (!is_vae_file(model, file)) return "";
    lines += sha256_file(file, ErrorKind::model) + "\n";
  }
  return lines;
}

std::string digest_over(const Model& model, std::string (*lines_of)(const Model&, const Part&)) {
  std::string lines;
  for (const char* name : vae_parts) {
    const auto part = model.parts.find(name);
    if (part == model.parts.end()) continue;
    const std::string own = lines_of(model, part->second);
    if (own.empty()) return "";
    lines += own;
  }
  return lines.empty() ? "" : sha256(std::as_bytes(std::span(lines)));
}

}  // namespace

Passport parse_passport(std::span<const std::byte> file, const std::string& name) {
  return open_latent(file, name).passport;
}

LatentDocument parse_latent(std::span<const std::byte> file, const std::string& name, bool any_number) {
  OpenLatent open = open_latent(file, name);
  LatentDocument document{
      std::move(open.passport), read_numbers(open.latent, name, any_number), {}, std::move(open.extra)};
  for (const TensorView& memory : open.memory) document.memory.push_back(read_numbers(memory, name, any_number));
  return document;
}

std::vector<std::byte> latent_bytes(const LatentDocument& document) {
  const Passport& passport = document.passport;
  Safetensors content;
  content.metadata = metadata_of(passport);
  content.metadata.insert(document.extra.begin(), document.extra.end());
  const std::vector<std::int64_t> shape(passport.shape.begin(), passport.shape.end());
  const std::vector<std::byte> numbers = number_bytes(document.values, passport.dtype);
  content.tensors["latent"] = {tensor_dtype(passport.dtype), shape, numbers};
  std::vector<std::vector<std::byte>> memory;
  for (const std::vector<float>& values : document.memory) memory.push_back(number_bytes(values, LatentDtype::f32));
  for (std::size_t i = 0; i < memory.size(); ++i) {
    content.tensors["memory." + std::to_string(i)] = {Dtype::f32, shape, memory[i]};
  }
  std::vector<std::byte> bytes = safetensors_bytes(content);
  try {
    const OpenLatent again = open_latent(bytes, "the latent to write");
    if (again.passport == passport && again.extra == document.extra) return bytes;
  } catch (const Error& error) {
    throw Error(ErrorKind::internal, error.marked_problem(), error.marked_advice());
  }
  throw Error(ErrorKind::internal, "a latent's passport says more than its file can hold.");
}

std::string vae_digest(const Model& model) { return digest_over(model, digest_lines); }

bool has_vae(const Model& model, const std::string& digest) {
  return vae_digest(model) == digest || digest_over(model, other_digest_lines) == digest;
}

Latent to_latent(const LatentDocument& document) {
  const Passport& passport = document.passport;
  Latent latent{passport.space, passport.shape, document.values, passport.sigma,
                passport.path,  passport.step,  passport.draws,  document.memory};
  if (passport.units == Units::vae) core::to_model_units(latent.values, latent.shape, latent.space);
  return latent;
}

LatentDocument to_document(const Latent& latent, Passport passport) {
  if (latent.sigma != 0 && passport.units == Units::vae) {
    throw Error(
        ErrorKind::usage,
        "a partially denoised latent has no VAE values: noise is in them. Keep it in model units, or finish it first");
  }
  passport.space = latent.space;
  passport.shape = latent.shape;
  passport.sigma = latent.sigma;
  passport.path = latent.sigma == 0 ? Path::variance_exploding : latent.path;
  passport.step = latent.sigma == 0 ? 0 : latent.step;
  passport.draws = latent.sigma == 0 ? 0 : latent.draws;
  LatentDocument document{
      std::move(passport), latent.values, latent.sigma == 0 ? decltype(latent.memory){} : latent.memory, {}};
  if (document.passport.units == Units::vae) core::to_vae_units(document.values, latent.shape, latent.space);
  round_numbers(document.values, document.passport.dtype);
  return document;
}

}  // namespace lapis::io
