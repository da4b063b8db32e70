#include "core/picture/caption.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <stb/stb_easy_font.h>

namespace lapis::core {
namespace {

constexpr int line_dots = 12;
constexpr float spacing = -0.5F;  ///< dots between characters, beside those that the font has: it was made for scale 1

/// As stb_easy_font_print lays them out, four to a rectangle: top left, top right, bottom right, bottom left.
struct Corner {
  float x;
  float y;
  float z;
  std::uint8_t colour[4];
};

/// More than any glyph has: the font's fullest has 15.
constexpr std::size_t rectangles_a_glyph = 32;

/// Only what the font has: printable ASCII.
std::string printable(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool continues = (byte & 0xC0U) == 0x80U;
    if (continues) continue;
    result += byte >= 0x20 && byte < 0x7F ? c : '?';
  }
  return result;
}

int text_width(const std::string& text, int scale) {
  std::string copy = text;  // the font's functions take no const text
  stb_easy_font_spacing(spacing);
  return stb_easy_font_width(copy.data()) * scale;
}

/// How many characters of `word` a line of `width` takes; 1 at least.
std::size_t fitting(const std::string& word, int width, int scale) {
  std::size_t count = 1;
  while (count < word.size() && text_width(word.substr(0, count + 1), scale) <= width) ++count;
  return count;
}

/// `text` without blanks, word by word.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text) {
    if (c != ' ' && c != '\n' && c != '\t' && c != '\r') {
      word += c;
      continue;
    }
    if (!word.empty()) words.push_back(printable(word));
    word.clear();
  }
  if (!word.empty()) words.push_back(printable(word));
  return words;
}

}  // namespace

void fill(Image& image, const Rectangle& area, Colour colour) {
  for (int y = std::max(area.top, 0); y < std::min(area.bottom, image.height); ++y) {
    for (int x = std::max(area.left, 0); x < std::min(area.right, image.width); ++x) {
      const std::ptrdiff_t at = 3 * (static_cast<std::ptrdiff_t>(y) * image.width + x);
      std::copy(colour.begin(), colour.end(), image.rgb.begin() + at);
    }
  }
}

void paste(Image& image, const Image& picture, int left, int top) {
  const auto row = static_cast<std::ptrdiff_t>(picture.width) * 3;
  for (int y = 0; y < picture.height; ++y) {
    const auto from = picture.rgb.begin() + y * row;
    std::copy(from, from + row, image.rgb.begin() + (static_cast<std::ptrdiff_t>(top + y) * image.width + left) * 3);
  }
}

PixelSize caption_size(std::string_view text, int scale) {
  return {text_width(printable(text), scale), line_dots * scale};
}

void draw_caption(Image& image, std::string_view text, int left, int top, int scale, Colour colour) {
  assert(scale >= 1);
  std::string line = printable(text);
  std::vector<Corner> corners(4 * rectangles_a_glyph * (line.size() + 1));
  const int bytes = static_cast<int>(corners.size() * sizeof(Corner));
  stb_easy_font_spacing(spacing);
  const int rectangles = stb_easy_font_print(0, 0, line.data(), nullptr, corners.data(), bytes);
  for (std::size_t i = 0; i < static_cast<std::size_t>(rectangles); ++i) {
    const Corner& from = corners[4 * i];
    const Corner& to = corners[4 * i + 2];
    const auto pixels = [scale](float dots) { return static_cast<int>(std::lround(dots * static_cast<float>(scale))); };
    fill(image, {left + pixels(from.x), top + pixels(from.y), left + pixels(to.x), top + pixels(to.y)}, colour);
  }
}

std::vector<std::string> wrapped(std::string_view text, int width, int scale) {
  std::vector<std::string> lines;
  std::string line;
  for (std::string word : words_of(text)) {
    const std::string longer = line.empty() ? word : line + " " + word;
    if (text_width(longer, scale) <= width) {
      line = longer;
      continue;
    }
    if (!line.empty()) lines.push_back(line);
    while (text_width(word, scale) > width && word.size() > 1) {
      const std::size_t count = fitting(word, width, scale);
      lines.push_back(word.substr(0, count));
      word.erase(0, count);
    }
    line = word;
  }
  if (!line.empty()) lines.push_back(line);
  return lines;
}

}  // namespace lapis::core
