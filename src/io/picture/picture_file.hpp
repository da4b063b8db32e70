// The bytes of a picture file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

namespace lapis::io {

/// Larger files are no pictures that anybody draws from.
inline constexpr std::size_t largest_picture_file = 400'000'000;

/// All bytes of a file or a pipe, or of standard input where `path` is "-". Of a pipe or a device no more is read than
/// its first bytes if no picture begins with them.
/// Throws Error{input} if they cannot be read, are more than `largest_picture_file`, or if there is nothing.
std::vector<std::byte> read_picture_file(const std::filesystem::path& path);

}  // namespace lapis::io
