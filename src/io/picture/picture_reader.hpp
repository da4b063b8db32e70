// Pictures that users bring: JPEG, PNG, BMP, TGA, PNM, and the first frame of a GIF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/picture/pixels.hpp"
#include "io/picture/picture_facts.hpp"

namespace lapis::io {

/// Bytes that reading a picture may take: its file, its pixels, twice where they are turned, and what a decoder holds.
inline constexpr std::uint64_t most_picture_memory = 600'000'000;

/// Reads a picture's header alone. `name` is the file that errors speak of.
/// Throws Error{input} if the file is none of the formats (saying what it is, where that is known), if it is damaged,
/// or if the picture is larger than 65535 pixels along a side.
PictureFacts read_picture_facts(std::span<const std::byte> file, const std::string& name);

/// Throws Error{input} if reading the picture takes more than `most_picture_memory`, Error{device} if it takes more
/// than the machine has free. `facts` are the file's own.
void check_picture_memory(std::span<const std::byte> file, const PictureFacts& facts, const std::string& name);

/// Reads a picture's pixels as they are stored: not turned, alpha as it is, colours of a palette looked up, 16 bits cut
/// to their upper 8. `facts` are the file's own. A PNG's checksums are tested.
/// Throws Error{input} if the file is damaged or cut short, and what `check_picture_memory` does.
core::Pixels read_pixels(std::span<const std::byte> file, const PictureFacts& facts, const std::string& name);

}  // namespace lapis::io
