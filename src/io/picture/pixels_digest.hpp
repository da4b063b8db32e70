// What a picture shows, in a digest.
#pragma once

#include <string>

#include "lapis/image.hpp"

namespace lapis::io {

/// The sha256 of a picture's size and pixels alone, whatever file holds them: that of the binary PPM with the header
/// "P6\nWIDTH HEIGHT\n255\n".
std::string pixels_sha256(const Image& image);

}  // namespace lapis::io
