// Latents that the io tests share.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/family/spaces.hpp"
#include "io/file/safetensors.hpp"
#include "io/latent/latent_file.hpp"
#include "support.hpp"

namespace lapis::io::test {

/// A finished latent of two pictures of 16 x 24 pixels, with every field that such a one can have.
inline LatentDocument finished_latent() {
  LatentDocument document;
  Passport& passport = document.passport;
  passport.space = core::parse_space("sd15:tiny-sd15");
  passport.shape = {2, 4, 3, 2};
  passport.vae_sha256 = std::string(64, 'a');
  passport.job = R"({"job":{"prompt":"a lake, día"},"version":"0.1"})";
  passport.history = {{"re-encode", "sdxl:tiny-sdxl", "sd15:tiny-sd15", {16, 24}, 31.25},
                      {"re-encode", "flux", "sdxl:tiny-sdxl", {16, 32}, {}}};
  document.values.resize(48);
  for (std::size_t i = 0; i < document.values.size(); ++i) document.values[i] = static_cast<float>(i) / 8 - 3;
  document.extra = {{"x-note", "of somebody's own"}};
  return document;
}

/// One that was stopped on the way, with a sampler that remembers two steps.
inline LatentDocument partial_latent() {
  LatentDocument document = finished_latent();
  document.passport.space = core::parse_space("flux");
  document.passport.shape = {1, 16, 2, 2};
  document.passport.sigma = 0.625;
  document.passport.path = Path::flow;
  document.passport.step = 7;
  document.passport.draws = 8;
  document.values.resize(64, 0.5F);
  document.memory = {document.values, std::vector<float>(64, -1.5F)};
  return document;
}

inline Safetensors parsed(const std::vector<std::byte>& bytes) {
  return parse_safetensors(bytes, "a.safetensors", ErrorKind::input);
}

/// The file of `document` with metadata changed: an empty text takes the key away.
inline std::vector<std::byte> with_metadata(const LatentDocument& document,
                                            const std::map<std::string, std::string>& changes) {
  const std::vector<std::byte> bytes = latent_bytes(document);
  Safetensors content = parsed(bytes);
  for (const auto& [key, text] : changes) {
    if (text.empty()) {
      content.metadata.erase(key);
    } else {
      content.metadata[key] = text;
    }
  }
  return safetensors_bytes(content);
}

}  // namespace lapis::io::test
