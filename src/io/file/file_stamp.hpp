// What tells, without reading a file, whether it is the one it was.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>

namespace lapis::io {

/// What changes where a file does: its place on the disk, its size and its times. A change within the same tick of the
/// file system's clock (a few milliseconds) that leaves the size as it was is not seen.
using FileStamp = std::array<std::int64_t, 5>;

/// The stamp of the file that `path` leads to; none where there is none.
std::optional<FileStamp> stamp_of(const std::filesystem::path& path);

}  // namespace lapis::io
