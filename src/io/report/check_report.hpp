// What `check` says in JSON. docs/cli.md describes the document.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/latent/route.hpp"
#include "core/latent/space_match.hpp"

namespace lapis::io {

/// One question and its answer. Names of spaces are empty where nothing says them.
struct Checked {
  std::string latent;       ///< what is sent, for people: a file, "latents of tiny-sd15"
  std::string destination;  ///< where to: a model, "VAE of tiny-sdxl", a space
  std::string from;         ///< `core::space_name`
  std::string to;
  core::Route route;
  std::int64_t pictures = 1;                ///< of the latent
  std::vector<core::SpaceMatch> fits = {};  ///< of a latent that does not say its space: advice, nothing acts on it
};

/// The verdict of several: a refusal if there is one, else that of the costliest route.
core::Verdict overall(std::span<const Checked> checks);

/// The document, on one line.
std::string check_report(std::span<const Checked> checks);

}  // namespace lapis::io
