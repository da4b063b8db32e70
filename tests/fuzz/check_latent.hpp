// What any bytes at all must satisfy, given as a latent: refused with an Error, or read, and then written and read
// again with the same result. For the fuzz target, and for the test that runs its corpus.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <vector>

#include "core/family/spaces.hpp"
#include "io/latent/latent_formats.hpp"
#include "lapis/error.hpp"

namespace lapis::io::test {

/// Each set of facts that a user could say of a file; the first says nothing.
inline std::vector<LatentHints> latent_hints() {
  std::vector<LatentHints> facts(1);
  for (const char* space : {"sd15", "flux", "wan21"}) {
    facts.push_back({core::parse_space(space), {}, {}, {}});
    facts.push_back({core::parse_space(space), Units::model, {}, {}});
    facts.push_back({core::parse_space(space), {}, LatentFormat::diffusers, PixelSize{32, 16}});
  }
  return facts;
}

/// Whether the file was read with these facts. Throws std::logic_error where it does not come out as it went in.
inline bool check_latent(std::span<const std::byte> file, const LatentHints& hints) {
  ForeignLatent latent;
  try {
    latent = read_latent(file, "a", hints);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal) throw std::logic_error(error.what());
    return false;
  }
  if (read_passport(file, "a", hints).passport != latent.document.passport) throw std::logic_error("another passport");
  if (parse_latent(write_latent(latent.document, LatentFormat::lapis), "b") != latent.document) {
    throw std::logic_error("another latent, by way of lapis' own format");
  }
  if (latent.format == LatentFormat::comfy_old) return true;
  LatentHints again = hints;
  again.size.reset();
  if (latent.layout == core::Layout::packed) again.size = hints.size;
  if (latent.format != LatentFormat::lapis) again.format = latent.format;
  if (latent.format == LatentFormat::npy) again.units = latent.document.passport.units;
  const ForeignLatent back = read_latent(write_latent(latent.document, latent.format), "b", again);
  if (back.document != latent.document || back.format != latent.format) throw std::logic_error("another latent");
  return true;
}

}  // namespace lapis::io::test
