// Pixels of PNG files, by libpng.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/picture/pixels.hpp"
#include "io/picture/picture_facts.hpp"

namespace lapis::io {

/// Reads what stands before the pixels. `name` is the file that errors speak of.
/// Throws Error{input} if it is damaged or cut short.
PictureFacts read_png_facts(std::span<const std::byte> file, const std::string& name);

/// Reads the pixels, row by row: colours of a palette looked up, a colour that is a hole made an alpha channel, of 16
/// bits the upper 8. `facts` are the file's own. The checksum of every chunk is tested first.
/// Throws Error{input} if the file is damaged or cut short, or has a pixel beyond its palette.
core::Pixels read_png_pixels(std::span<const std::byte> file, const PictureFacts& facts, const std::string& name);

}  // namespace lapis::io
