// What `inspect` says of a latent in JSON. docs/cli.md describes the document.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/latent/space_match.hpp"
#include "core/latent/units.hpp"
#include "io/latent/latent_statistics.hpp"
#include "lapis/latent.hpp"

namespace lapis::io {

/// A latent, looked at. Where its space is not said, that of the passport is made up, and so are units that are not
/// said: the report has null for both.
struct LatentInspection {
  std::string name;
  std::string format;  ///< name of a row of `latent_formats`
  Passport passport;
  core::Layout layout = core::Layout::plain;  ///< in the file
  bool has_space = true;
  bool has_units = true;
  bool has_size = true;  ///< false: packed tokens whose picture's size nobody says
  LatentStatistics statistics;
  std::vector<core::SpaceMatch> fits;  ///< there where the space is not said
};

/// The document, on one line.
std::string inspection_report(const LatentInspection& latent);

}  // namespace lapis::io
