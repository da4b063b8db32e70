// A contact sheet: pictures in a grid, with words.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/picture/caption.hpp"
#include "lapis/image.hpp"

namespace lapis::core {

/// Words of one colour.
struct SheetLine {
  std::string text;
  Colour colour{};
};

/// A picture, or a text in its place, and what stands below.
struct SheetTile {
  std::optional<Image> picture;
  std::string text;  ///< where there is no picture
  std::vector<SheetLine> caption;
  std::string link = {};  ///< of the picture's file, relative to the sheet's; "" for none
};

/// One place of the grid: tiles side by side, none for a place that stays empty.
struct SheetCell {
  std::vector<SheetTile> tiles;
  bool marked = false;  ///< framed
};

/// A heading: its first line stands out.
using SheetHeading = std::vector<std::string>;

/// What stands on a sheet.
struct Sheet {
  std::string title;
  std::vector<std::string> notes;     ///< below the title, each wrapped to the sheet's width
  std::vector<SheetHeading> columns;  ///< one or more
  std::vector<SheetHeading> rows;     ///< one or more
  std::vector<SheetCell> cells;       ///< rows x columns, row by row
};

/// The sheet as a picture. All tiles are of one size: that of the largest picture. Pictures with a side above 256
/// pixels are shrunk to that by Lanczos, ones below 128 enlarged by a whole number of pixels for each.
Image drawn(const Sheet& sheet);

/// `picture` shrunk by Lanczos until no side is longer than `side`; as it is where none is.
Image at_most(Image picture, int side);

}  // namespace lapis::core
