// The one thing of Exif that decides how a picture is to be seen.
#pragma once

#include <cstddef>
#include <span>

namespace lapis::io {

/// The tag Orientation (1 to 8) of the Exif data in a JPEG's APP1 segment or a PNG's eXIf chunk; 1 where there is none,
/// or none that can be read: a broken tag is no reason to refuse a picture. Never reads beyond `file`.
int exif_orientation(std::span<const std::byte> file);

}  // namespace lapis::io
