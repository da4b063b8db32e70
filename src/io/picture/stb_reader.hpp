// Pixels of BMP and TGA files, by stb_image, which takes a file's word for much: so each is looked at first.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/picture/pixels.hpp"
#include "io/picture/picture_facts.hpp"

namespace lapis::io {

/// Reads a BMP's header, and that the file holds as many pixels as it says. `name` is the file that errors speak of.
/// Throws Error{input} if it is damaged or cut short, or of a kind that stb does not read as it is meant.
PictureFacts read_bmp_facts(std::span<const std::byte> file, const std::string& name);

/// Reads a TGA's header, and that its runs of equal pixels come to its size. Throws as `read_bmp_facts`.
PictureFacts read_tga_facts(std::span<const std::byte> file, const std::string& name);

/// Reads the pixels of a file whose facts were read by one of the two.
/// Throws Error{input} if a pixel has a colour that its palette lacks.
core::Pixels read_by_stb(std::span<const std::byte> file, const PictureFacts& facts, const std::string& name);

}  // namespace lapis::io
