// Words, rectangles and pictures drawn into pictures; the font is a small one of ASCII.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lapis/image.hpp"
#include "lapis/job.hpp"

namespace lapis::core {

/// Red, green and blue.
using Colour = std::array<std::uint8_t, 3>;

/// A rectangle in pixels of a picture, from its top left corner; right and bottom are the first that lie outside.
struct Rectangle {
  int left = 0;
  int top = 0;
  int right = 0;
  int bottom = 0;
};

/// Gives every pixel of `area` one colour. What falls beside the picture is not drawn.
void fill(Image& image, const Rectangle& area, Colour colour);

/// Lays a picture into another with its top left corner at (left, top). All of it must lie inside.
void paste(Image& image, const Image& picture, int left, int top);

/// What one line of text takes at `scale`, a whole number of 1 or more: a dot of the font is scale x scale pixels, a
/// line is 12 dots high, the space below its letters counted in.
PixelSize caption_size(std::string_view text, int scale);

/// Draws one line with its top left corner at (left, top), which may lie outside: what falls beside the picture is not
/// drawn. Characters that the font lacks become "?", each one alone, however many bytes of UTF-8 it has.
void draw_caption(Image& image, std::string_view text, int left, int top, int scale, Colour colour);

/// `text` in lines of `width` pixels at most, broken at blanks, and within a word that is longer than a line. A line
/// has one character at least. Blanks of any kind at the breaks are left out.
std::vector<std::string> wrapped(std::string_view text, int width, int scale);

}  // namespace lapis::core
