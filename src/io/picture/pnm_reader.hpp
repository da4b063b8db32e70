// Pixels of netpbm files: PBM, PGM and PPM, plain and raw (P1 to P6), and PAM (P7).
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "core/picture/pixels.hpp"
#include "io/picture/picture_facts.hpp"

namespace lapis::io {

/// Reads the header. `name` is the file that errors speak of.
/// Throws Error{input} if it is damaged or cut short, if its largest value is not 1 to 65535, or if it is a PAM whose
/// tuples are neither grey nor RGB, with or without alpha.
PictureFacts read_pnm_facts(std::span<const std::byte> file, const std::string& name);

/// Reads the first picture of the file. A sample v of a largest value m becomes round(255 v / m), computed as Pillow
/// does, halves to the even. `facts` are the file's own.
/// Throws Error{input} if the file is cut short, or a sample is no number or larger than m.
core::Pixels read_pnm(std::span<const std::byte> file, const PictureFacts& facts, const std::string& name);

}  // namespace lapis::io
