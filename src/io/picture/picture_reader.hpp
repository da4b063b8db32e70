// Pictures that users bring: JPEG, PNG, BMP, TGA, PNM, and the first frame of a GIF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/picture/pixels.hpp"
#include "io/picture/picture_facts.hpp"

namespace lapis::io {

/// Bytes of the largest file that is taken for a picture that anybody draws from.
inline constexpr std::size_t largest_picture_file = 400'000'000;

/// All bytes of a file or a pipe, or of standard input where `path` is "-". Of a pipe or a device no more is read than
/// its first bytes if no picture begins with them.
/// Throws Error{input} if they cannot be read, are more than `largest_picture_file`, or if there is nothing.
std::vector<std::byte> read_picture_file(const std::filesystem::path& path);

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
