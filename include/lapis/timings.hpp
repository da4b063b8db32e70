// Where the seconds of a request went.
#pragma once

#include <array>
#include <cstddef>

#include "lapis/part_kind.hpp"

namespace lapis {

/// Seconds of one request or of several. Module calls are apart from the rest so that overhead can be read off.
struct Timings {
  double load = 0;                                ///< graphs parsed, weights mapped and bound
  std::array<double, part_kinds.size()> parts{};  ///< module calls, in the order of `PartKind`
  double sampler = 0;                             ///< noise, guidance and steps: of the loop all but module calls
  double pixels = 0;                              ///< checks, conversion to 8 bit, resizing, tiles laid together

  /// The seconds of the module calls of one part.
  double& of(PartKind kind) { return parts[index_of(kind)]; }
  double of(PartKind kind) const { return parts[index_of(kind)]; }

  Timings& operator+=(const Timings& more) {
    load += more.load;
    for (std::size_t i = 0; i < parts.size(); ++i) parts[i] += more.parts[i];
    sampler += more.sampler;
    pixels += more.pixels;
    return *this;
  }
};

}  // namespace lapis
