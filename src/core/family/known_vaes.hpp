// VAEs that were published as files of their own: what tells whose they are where shapes cannot.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace lapis::core {

/// One row per file.
struct KnownVae {
  std::string name;         ///< of the file, and who published it
  std::string space;        ///< a row of spaces()
  std::uint64_t bytes = 0;  ///< of the file: only one of a known size needs to be read for its digest
  std::string sha256;
};

std::span<const KnownVae> known_vaes();

}  // namespace lapis::core
