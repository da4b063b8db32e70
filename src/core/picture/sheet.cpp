#include "core/picture/sheet.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <utility>

#include "core/picture/pixels.hpp"
#include "core/picture/resize.hpp"

namespace lapis::core {
namespace {

constexpr int longest_side = 256;
constexpr int shortest_side = 128;
constexpr int scale = 2;
constexpr int title_scale = 3;
constexpr int line_step = 22;
constexpr int text_step = 20;  ///< of a text in a picture's place
constexpr int title_step = 42;
constexpr int margin = 24;      ///< around the sheet
constexpr int gap = 14;         ///< between cells, and around headings
constexpr int padding = 10;     ///< of a cell, around and between its tiles
constexpr int frame_width = 3;  ///< of a marked cell
constexpr int text_inset = 4;   ///< of a text in a picture's place

constexpr Colour ground = {236, 237, 240};
constexpr Colour card = {252, 252, 253};
constexpr Colour blank_tile = {224, 225, 229};
constexpr Colour ink = {32, 35, 42};
constexpr Colour pale_ink = {98, 103, 115};
constexpr Colour frame_colour = {58, 96, 150};

/// As large as a tile wants it.
Image fitted(const Image& picture) {
  const int side = std::max(picture.width, picture.height);
  if (side >= shortest_side) return at_most(picture, longest_side);
  const int times = std::max(1, shortest_side / side);
  return rgb_image(resized(pixels_of(picture), picture.width * times, picture.height * times, Filter::box));
}

/// Everything's size, from what has to fit.
struct SheetLayout {
  int tile_width = shortest_side;
  int tile_height = 0;
  int caption_lines = 0;
  int tiles = 1;           ///< of the fullest cell
  int heading_width = 0;   ///< of the rows' headings
  int heading_height = 0;  ///< of the columns'
  int notes_height = 0;    ///< with the space below
  int columns = 0;
  int rows = 0;

  int cell_width() const { return tiles * (tile_width + padding) + padding; }
  int cell_height() const { return tile_height + caption_lines * line_step + 2 * padding; }
  int inner_width() const { return heading_width + columns * (cell_width() + gap); }
  int width() const { return inner_width() + 2 * margin; }
  int grid_top() const { return margin + title_step + notes_height + heading_height + gap; }
  int height() const { return grid_top() + rows * (cell_height() + gap) - gap + margin; }
  int cell_left(int column) const { return margin + heading_width + gap + column * (cell_width() + gap); }
  int cell_top(int row) const { return grid_top() + row * (cell_height() + gap); }
};

std::vector<std::string> text_lines(const std::string& text, int tile_width) {
  return wrapped(text, tile_width - 2 * text_inset, scale);
}

int lines_of(const SheetHeading& heading, int width) {
  int lines = 0;
  for (const std::string& line : heading) lines += static_cast<int>(wrapped(line, width, scale).size());
  return lines;
}

/// `sheet`'s pictures must have their final size.
SheetLayout layout_of(const Sheet& sheet) {
  SheetLayout layout;
  layout.columns = static_cast<int>(sheet.columns.size());
  layout.rows = static_cast<int>(sheet.rows.size());
  for (const SheetCell& cell : sheet.cells) {
    layout.tiles = std::max(layout.tiles, static_cast<int>(cell.tiles.size()));
    for (const SheetTile& tile : cell.tiles) {
      layout.caption_lines = std::max(layout.caption_lines, static_cast<int>(tile.caption.size()));
      if (!tile.picture) continue;
      layout.tile_width = std::max(layout.tile_width, tile.picture->width);
      layout.tile_height = std::max(layout.tile_height, tile.picture->height);
    }
  }
  for (const SheetCell& cell : sheet.cells) {
    for (const SheetTile& tile : cell.tiles) {
      const int lines = tile.picture ? 0 : static_cast<int>(text_lines(tile.text, layout.tile_width).size());
      layout.tile_height = std::max(layout.tile_height, lines * text_step + 2 * text_inset);
    }
  }
  for (const SheetHeading& heading : sheet.rows) {
    for (const std::string& line : heading)
      layout.heading_width = std::max(layout.heading_width, caption_size(line, scale).width);
  }
  layout.heading_width = std::min(layout.heading_width, longest_side);
  for (const SheetHeading& heading : sheet.columns)
    layout.heading_height = std::max(layout.heading_height, lines_of(heading, layout.cell_width()) * line_step);
  for (const std::string& note : sheet.notes)
    layout.notes_height += static_cast<int>(wrapped(note, layout.inner_width(), scale).size()) * line_step;
  layout.notes_height += gap;
  return layout;
}

void draw_heading(Image& image, const SheetHeading& heading, int left, int top, int width) {
  Colour colour = ink;
  for (const std::string& text : heading) {
    for (const std::string& line : wrapped(text, width, scale)) {
      draw_caption(image, line, left, top, scale, colour);
      top += line_step;
    }
    colour = pale_ink;
  }
}

void draw_tile(Image& image, const SheetTile& tile, const SheetLayout& layout, int left, int top) {
  if (tile.picture) {
    paste(image, *tile.picture, left + (layout.tile_width - tile.picture->width) / 2,
          top + (layout.tile_height - tile.picture->height) / 2);
  } else {
    fill(image, {left, top, left + layout.tile_width, top + layout.tile_height}, blank_tile);
    const std::vector<std::string> lines = text_lines(tile.text, layout.tile_width);
    int y = top + (layout.tile_height - static_cast<int>(lines.size()) * text_step) / 2 + scale;
    for (const std::string& line : lines) {
      const int x = left + (layout.tile_width - caption_size(line, scale).width) / 2;
      draw_caption(image, line, x, y, scale, pale_ink);
      y += text_step;
    }
  }
  int y = top + layout.tile_height + padding;
  for (const SheetLine& line : tile.caption) {
    draw_caption(image, line.text, left, y, scale, line.colour);
    y += line_step;
  }
}

void draw_cell(Image& image, const SheetCell& cell, const SheetLayout& layout, int left, int top) {
  if (cell.tiles.empty()) return;
  const Rectangle area = {left, top, left + layout.cell_width(), top + layout.cell_height()};
  if (cell.marked) {
    fill(image, {area.left - frame_width, area.top - frame_width, area.right + frame_width, area.bottom + frame_width},
         frame_colour);
  }
  fill(image, area, card);
  const int taken = static_cast<int>(cell.tiles.size()) * (layout.tile_width + padding) - padding;
  int x = left + (layout.cell_width() - taken) / 2;
  for (const SheetTile& tile : cell.tiles) {
    draw_tile(image, tile, layout, x, top + padding);
    x += layout.tile_width + padding;
  }
}

void draw_words(Image& image, const Sheet& sheet, const SheetLayout& layout) {
  draw_caption(image, sheet.title, margin, margin, title_scale, ink);
  int y = margin + title_step;
  for (const std::string& note : sheet.notes) {
    for (const std::string& line : wrapped(note, layout.inner_width(), scale)) {
      draw_caption(image, line, margin, y, scale, pale_ink);
      y += line_step;
    }
  }
  for (int column = 0; column < layout.columns; ++column) {
    const int top = layout.grid_top() - layout.heading_height - gap / 2;
    draw_heading(image, sheet.columns[column], layout.cell_left(column), top, layout.cell_width());
  }
  for (int row = 0; row < layout.rows; ++row)
    draw_heading(image, sheet.rows[row], margin, layout.cell_top(row) + padding, layout.heading_width);
}

}  // namespace

Image drawn(const Sheet& sheet) {
  assert(sheet.cells.size() == sheet.rows.size() * sheet.columns.size());
  Sheet sized = sheet;
  for (SheetCell& cell : sized.cells) {
    for (SheetTile& tile : cell.tiles) {
      if (tile.picture) tile.picture = fitted(*tile.picture);
    }
  }
  const SheetLayout layout = layout_of(sized);
  Image image{layout.width(), layout.height(), {}};
  image.rgb.resize(static_cast<std::size_t>(image.width) * image.height * 3);
  fill(image, {0, 0, image.width, image.height}, ground);
  draw_words(image, sized, layout);
  for (int row = 0; row < layout.rows; ++row) {
    for (int column = 0; column < layout.columns; ++column) {
      const SheetCell& cell =
          sized.cells[static_cast<std::size_t>(row) * sheet.columns.size() + static_cast<std::size_t>(column)];
      draw_cell(image, cell, layout, layout.cell_left(column), layout.cell_top(row));
    }
  }
  return image;
}

Image at_most(Image picture, int side) {
  const int longest = std::max(picture.width, picture.height);
  if (longest <= side) return picture;
  const auto shrunk = [&](int length) {
    return std::max(1, static_cast<int>(std::lround(static_cast<double>(length) * side / longest)));
  };
  const int width = shrunk(picture.width);
  const int height = shrunk(picture.height);
  return rgb_image(resized(pixels_of(std::move(picture)), width, height, Filter::lanczos));
}

}  // namespace lapis::core
