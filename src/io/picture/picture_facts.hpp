// What a picture file says of itself before its pixels are read.
#pragma once

#include <cstdint>
#include <string>

#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::io {

/// The longest side of a picture that is read, in pixels.
constexpr int largest_side = 65'535;

/// A picture's header.
struct PictureFacts {
  std::string format;  ///< "JPEG", "PNG", "BMP", "TGA", "PNM" or "GIF"
  int width = 0;       ///< as stored: before it is turned upright
  int height = 0;
  int channels = 0;          ///< 1 to 4, as in core::Pixels; a transparent colour adds one
  int bits = 8;              ///< of one channel, as stored: 1 to 16
  int orientation = 1;       ///< Exif's, 1 to 8
  std::uint64_t memory = 0;  ///< bytes that reading the pixels takes at its height, the pixels among them
};

/// width x height, of sides that are not negative.
inline std::uint64_t pixel_count(const PictureFacts& facts) {
  return static_cast<std::uint64_t>(facts.width) * static_cast<std::uint64_t>(facts.height);
}

/// Throws Error{input}: "NAME is a damaged FORMAT: REASON.", and to give another file.
[[noreturn]] inline void fail_damaged(const std::string& format, const std::string& name, const std::string& reason) {
  throw Error(ErrorKind::input, core::sentence("{} is a damaged {}: {}.", name, format, reason), "Give another file.");
}

/// Throws Error{input} for a file that is whole, and of a kind without a reader: "NAME is a KIND, which ...".
[[noreturn]] inline void fail_unread(const std::string& name, const std::string& kind,
                                     const std::string& advice = "Save it as a PNG first.") {
  throw Error(ErrorKind::input, core::sentence("{} is a {}, which lapis does not read.", name, kind), advice);
}

}  // namespace lapis::io
