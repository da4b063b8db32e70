// Small pictures made of characters.
#pragma once

#include <string>

#include "lapis/image.hpp"

namespace lapis::cli {

/// `image` at most `columns` wide, by Pillow's box filter; smaller ones stay as they are.
Image narrowed(const Image& image, int columns);

/// Two pixels a character: the upper one as the colour of a half block, the lower one behind it (24-bit SGR codes of
/// ECMA-48). A line for each two rows, each with its end.
std::string half_blocks(const Image& image);

/// The same shape without colour: one character for each two pixels, the darker the emptier.
std::string shaded(const Image& image);

}  // namespace lapis::cli
