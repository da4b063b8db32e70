// What Exif says of how a picture is to be seen, and the settings that other programs keep there.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>

namespace lapis::io {

/// The tag Orientation (1 to 8) of the Exif data in a JPEG's APP1 segment or a PNG's eXIf chunk; 1 where there is none,
/// or none that can be read: a broken tag is no reason to refuse a picture. Never reads beyond `file`.
int exif_orientation(std::span<const std::byte> file);

/// The tag UserComment of a JPEG's or a PNG's Exif data, in UTF-8: A1111 and its descendants keep a JPEG's settings
/// there. None where there is none, it is empty, or it is in a code that is neither ASCII, UTF-8 nor UTF-16.
std::optional<std::string> exif_user_comment(std::span<const std::byte> file);

}  // namespace lapis::io
