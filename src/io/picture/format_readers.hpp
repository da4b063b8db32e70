// The readers of the formats that pictures come in, one file each. For `picture_reader.cpp` alone.
//
// A `read_*_facts` reads what stands before the pixels, and throws Error{input} for a file that is damaged, cut short
// or of a kind that is not read. The function beside it reads the pixels, `facts` being the file's own, and throws for
// pixels that are damaged or cut short. `name` is the file that errors speak of.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/picture/pixels.hpp"
#include "io/picture/picture_facts.hpp"

namespace lapis::io {

/// JPEG (ITU-T T.81), by libjpeg-turbo, its header up to the first scan. Not read: lossless, hierarchical, arithmetic
/// coding, 12 bits, 2 channels.
PictureFacts read_jpeg_facts(std::span<const std::byte> file, const std::string& name);

/// In every sample Pillow's pixels of a JPEG: integer DCT, chroma interpolated, CMYK and YCCK taken as inverted (as
/// Adobe writes them) and brought to RGB. Refuses data with which libjpeg goes on after a warning, too, and more scans
/// than anybody needs.
core::Pixels read_jpeg(std::span<const std::byte> file, const PictureFacts& facts, const std::string& name);

/// PNG, by libpng.
PictureFacts read_png_facts(std::span<const std::byte> file, const std::string& name);

/// A PNG's pixels, row by row: colours of a palette looked up, a transparent colour made an alpha channel, of 16 bits
/// the upper 8. The checksum of every chunk is tested first. Refuses a pixel beyond its palette.
core::Pixels read_png_pixels(std::span<const std::byte> file, const PictureFacts& facts, const std::string& name);

/// GIF87a and GIF89a. Refuses a file without a frame or without a palette.
PictureFacts read_gif_facts(std::span<const std::byte> file, const std::string& name);

/// A GIF's first frame, laid on a screen of its transparent colour or, without one, of the palette's first, as Pillow
/// does. Refuses a code that was not made yet, and a colour that the palette lacks.
core::Pixels read_gif(std::span<const std::byte> file, const PictureFacts& facts, const std::string& name);

/// Netpbm: PBM, PGM and PPM, plain and raw (P1 to P6), and PAM (P7). Refuses a largest value that is not 1 to 65535,
/// and a PAM whose tuples are neither grey nor RGB, with or without alpha.
PictureFacts read_pnm_facts(std::span<const std::byte> file, const std::string& name);

/// A netpbm file's first picture. A sample v of a largest value m becomes round(255 v / m), computed as Pillow does,
/// halves to the even. Refuses a sample that is no number or larger than m.
core::Pixels read_pnm(std::span<const std::byte> file, const PictureFacts& facts, const std::string& name);

/// BMP, and that the file holds as many pixels as it says. Not read: what stb_image does not read as it is meant.
PictureFacts read_bmp_facts(std::span<const std::byte> file, const std::string& name);

/// TGA, and that the file holds as many pixels as it says. Not read: what stb_image does not read as it is meant.
PictureFacts read_tga_facts(std::span<const std::byte> file, const std::string& name);

/// The pixels of a BMP or a TGA, by stb_image, which takes a file's word for much: so the file is looked at first.
/// Refuses a pixel with a colour that its palette lacks.
core::Pixels read_by_stb(std::span<const std::byte> file, const PictureFacts& facts, const std::string& name);

}  // namespace lapis::io
