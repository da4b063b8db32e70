// A latent as its file has it, under the name that messages call the file by.
#pragma once

#include <string>

#include "io/latent/latent_formats.hpp"
#include "lapis/latent.hpp"

namespace lapis::pipeline {

struct NamedLatent {
  std::string name;
  io::ForeignLatent latent;

  const Passport& passport() const { return latent.document.passport; }
};

/// Reads a latent of any format out of `source`. Errors as of `io::read_latent`.
inline NamedLatent named_latent(const io::LatentSource& source, const io::LatentHints& hints) {
  return {source.name(), io::read_latent(source.bytes(), source.name(), hints)};
}

}  // namespace lapis::pipeline
