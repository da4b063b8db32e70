// Pictures that users bring: JPEG, PNG, BMP, TGA, PNM, and the first frame of a GIF.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/pixels.hpp"

namespace lapis::io {

/// What a picture file says of itself before its pixels are read.
struct PictureFacts {
  std::string format;  ///< "JPEG", "PNG", "BMP", "TGA", "PNM" or "GIF"
  int width = 0;       ///< as stored: before it is turned upright
  int height = 0;
  int channels = 0;     ///< 1 to 4, as in core::Pixels; a colour of a PNG that is a hole adds one
  int bits = 8;         ///< of one channel, 8 or 16
  int orientation = 1;  ///< Exif's, 1 to 8
};

/// The bytes of a picture file, or of standard input where `path` is "-".
/// Throws Error{input} if they cannot be read, are more than 1 GB, or if there is nothing.
std::vector<std::byte> read_picture_file(const std::filesystem::path& path);

/// Reads a picture's header alone. `name` is the file that errors speak of.
/// Throws Error{input} if the file is none of the formats (saying what it is, where that is known), if it is damaged,
/// or if the picture is larger than 65535 pixels along a side or 180 million in all.
PictureFacts read_picture_facts(std::span<const std::byte> file, const std::string& name);

/// Reads a picture's pixels as they are stored: not turned, alpha as it is, colours of a palette looked up, 16 bits cut
/// to their upper 8. `facts` are the file's own. A PNG's checksums are tested.
/// Throws Error{input} if the file is damaged or cut short, Error{device} if the pixels need more memory than the
/// machine has free.
core::Pixels read_pixels(std::span<const std::byte> file, const PictureFacts& facts, const std::string& name);

}  // namespace lapis::io
