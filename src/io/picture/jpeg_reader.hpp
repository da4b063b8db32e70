// Pixels of JPEG files (ITU-T T.81), by libjpeg-turbo.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/picture/pixels.hpp"
#include "io/picture/picture_facts.hpp"

namespace lapis::io {

/// Reads a JPEG's header, up to its first scan. `name` is the file that errors speak of.
/// Throws Error{input} if it is damaged or cut short, or of a kind that is not read: lossless, hierarchical, arithmetic
/// coding, 12 bits, 2 channels.
PictureFacts read_jpeg_facts(std::span<const std::byte> file, const std::string& name);

/// Reads its pixels, in every sample those of Pillow: integer DCT, chroma interpolated, CMYK and YCCK taken as inverted
/// (as Adobe writes them) and brought to RGB. `facts` are the file's own.
/// Throws Error{input} if its data are damaged or cut short, where libjpeg goes on with a warning too, and if it has
/// more scans than anybody needs.
core::Pixels read_jpeg(std::span<const std::byte> file, const PictureFacts& facts, const std::string& name);

}  // namespace lapis::io
