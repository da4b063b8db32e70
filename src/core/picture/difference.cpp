#include "core/picture/difference.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <optional>
#include <utility>

#include "core/picture/caption.hpp"
#include "core/picture/flip.hpp"
#include "core/picture/pixels.hpp"
#include "core/picture/resize.hpp"
#include "core/picture/similarity.hpp"
#include "core/text/sentence.hpp"

namespace lapis::core {
namespace {

/// Counts values as they come.
class Counter {
 public:
  explicit Counter(const Tolerance& tolerance)
      : fail_(tolerance.fail), warn_(tolerance.warn.value_or(std::numeric_limits<double>::infinity())) {}

  /// The difference of two values; true where it is the largest so far.
  bool add(double a, double b) {
    ++counted_.values;
    const double amount = std::abs(a - b);
    if (amount == 0) return false;
    ++counted_.different;
    sum_ += amount;
    counted_.above_fail += amount > fail_;
    counted_.above_warn += amount > warn_;
    if (amount <= counted_.largest) return false;
    counted_.largest = amount;
    counted_.worst.a = a;
    counted_.worst.b = b;
    return true;
  }

  Difference counted() const {
    Difference difference = counted_;
    if (difference.values > 0) difference.mean = sum_ / static_cast<double>(difference.values);
    return difference;
  }

 private:
  double fail_;
  double warn_;
  double sum_ = 0;
  Difference counted_;
};

std::uint8_t alpha_of(const ComparedPicture& picture, std::size_t pixel) {
  return picture.alpha.empty() ? 255 : picture.alpha[pixel];
}

/// The value of a pixel that differs most.
int largest_of_pixel(const ComparedPicture& a, const ComparedPicture& b, std::size_t pixel) {
  int largest = std::abs(alpha_of(a, pixel) - alpha_of(b, pixel));
  for (std::size_t c = 3 * pixel; c < 3 * pixel + 3; ++c) {
    largest = std::max(largest, std::abs(a.image.rgb[c] - b.image.rgb[c]));
  }
  return largest;
}

Difference counted(const ComparedPicture& a, const ComparedPicture& b, const Tolerance& tolerance) {
  Counter counter(tolerance);
  std::size_t worst = 0;
  std::size_t channel = 0;
  const bool has_alpha = !a.alpha.empty() || !b.alpha.empty();
  const std::size_t pixels = a.image.rgb.size() / 3;
  std::uint64_t above = 0;
  for (std::size_t pixel = 0; pixel < pixels; ++pixel) {
    const auto add = [&](std::size_t c, int of_a, int of_b) {
      if (!counter.add(of_a, of_b)) return;
      worst = pixel;
      channel = c;
    };
    for (std::size_t c = 0; c < 3; ++c) add(c, a.image.rgb[3 * pixel + c], b.image.rgb[3 * pixel + c]);
    if (has_alpha) add(3, alpha_of(a, pixel), alpha_of(b, pixel));
    above += largest_of_pixel(a, b, pixel) > tolerance.fail;
  }
  Difference difference = counter.counted();
  const auto width = static_cast<std::size_t>(a.image.width);
  difference.worst.channel = static_cast<std::int64_t>(channel);
  difference.worst.x = static_cast<std::int64_t>(worst % width);
  difference.worst.y = static_cast<std::int64_t>(worst / width);
  difference.picture = PictureMeasures{};
  difference.picture->pixels = pixels;
  difference.picture->pixels_above = above;
  return difference;
}

constexpr int smallest_panel = 256;  ///< pixels of its longer side
constexpr int caption_scale = 2;
constexpr int line_height = 12 * caption_scale;
constexpr int panel_gap = 12;
constexpr Colour panel_ground = {28, 30, 36};
constexpr Colour panel_ink = {236, 237, 240};

/// 0 to 255 as a colour that grows lighter.
Colour heat(int value) {
  constexpr std::array<Colour, 5> stops = {{{0, 0, 0}, {70, 20, 120}, {205, 45, 60}, {250, 160, 35}, {255, 252, 220}}};
  const double place = value / 255.0 * (stops.size() - 1);
  const auto below = std::min(static_cast<std::size_t>(place), stops.size() - 2);
  const double share = place - static_cast<double>(below);
  Colour colour{};
  for (std::size_t c = 0; c < 3; ++c) {
    colour[c] = static_cast<std::uint8_t>(std::lround(stops[below][c] * (1 - share) + stops[below + 1][c] * share));
  }
  return colour;
}

/// A picture with its caption.
struct Panel {
  Image picture;
  std::vector<std::string> lines;
};

int enlargement(const Image& image) { return std::max(1, smallest_panel / std::max(image.width, image.height)); }

Panel panel_of(const Image& image, const std::string& caption) {
  const int times = enlargement(image);
  Image enlarged =
      times == 1 ? image : rgb_image(resized(pixels_of(image), image.width * times, image.height * times, Filter::box));
  std::vector<std::string> lines = wrapped(caption, std::max(enlarged.width, smallest_panel), caption_scale);
  return {std::move(enlarged), std::move(lines)};
}

/// A frame of one colour around a pixel that is `times` pixels wide, a few pixels away from it.
void frame_pixel(Image& image, int x, int y, int times) {
  const int away = std::max(3, times / 8);
  const Rectangle around = {x * times - away, y * times - away, (x + 1) * times + away, (y + 1) * times + away};
  constexpr Colour colour = {60, 220, 120};
  constexpr int thick = 2;
  fill(image, {around.left, around.top, around.right, around.top + thick}, colour);
  fill(image, {around.left, around.bottom - thick, around.right, around.bottom}, colour);
  fill(image, {around.left, around.top, around.left + thick, around.bottom}, colour);
  fill(image, {around.right - thick, around.top, around.right, around.bottom}, colour);
}

Panel heat_panel(const ComparedPicture& a, const ComparedPicture& b) {
  Image image{a.image.width, a.image.height, {}};
  std::vector<int> amounts;
  for (std::size_t i = 0; i < a.image.rgb.size() / 3; ++i) amounts.push_back(largest_of_pixel(a, b, i));
  const auto worst = std::max_element(amounts.begin(), amounts.end());
  const int times = *worst == 0 ? 1 : 255 / *worst;
  image.rgb.reserve(a.image.rgb.size());
  for (const int amount : amounts) {
    const Colour colour = heat(amount * times);
    image.rgb.insert(image.rgb.end(), colour.begin(), colour.end());
  }
  if (*worst == 0) return panel_of(image, "no difference");
  Panel panel = panel_of(image, sentence("difference x {}; at most {} of 255", times, *worst));
  const int place = static_cast<int>(worst - amounts.begin());
  frame_pixel(panel.picture, place % image.width, place / image.width, enlargement(image));
  return panel;
}

Image beside_each_other(const std::vector<Panel>& panels) {
  int width = panel_gap;
  int height = 0;
  int lines = 0;
  for (const Panel& panel : panels) {
    width += std::max(panel.picture.width, smallest_panel) + panel_gap;
    height = std::max(height, panel.picture.height);
    lines = std::max(lines, static_cast<int>(panel.lines.size()));
  }
  const int top = panel_gap + lines * line_height;
  Image image{width, top + height + panel_gap, {}};
  image.rgb.resize(static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height) * 3);
  fill(image, {0, 0, image.width, image.height}, panel_ground);
  int left = panel_gap;
  for (const Panel& panel : panels) {
    int y = panel_gap;
    for (const std::string& line : panel.lines) {
      draw_caption(image, line, left, y, caption_scale, panel_ink);
      y += line_height;
    }
    paste(image, panel.picture, left, top);
    left += std::max(panel.picture.width, smallest_panel) + panel_gap;
  }
  return image;
}

/// Below each other, on one ground.
Image stacked(const std::vector<Image>& rows) {
  Image image;
  for (const Image& row : rows) {
    image.width = std::max(image.width, row.width);
    image.height += row.height;
  }
  image.rgb.resize(static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height) * 3);
  fill(image, {0, 0, image.width, image.height}, panel_ground);
  int top = 0;
  for (const Image& row : rows) {
    paste(image, row, 0, top);
    top += row.height;
  }
  return image;
}

/// How far values differ, of which the largest of all differs by `largest`.
Panel heat_panel(std::span<const float> a, std::span<const float> b, int width, double largest, std::int64_t channel) {
  Image image{width, static_cast<int>(a.size()) / width, {}};
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double amount = std::abs(double{a[i]} - double{b[i]});
    most = std::max(most, amount);
    const Colour colour = heat(largest == 0 ? 0 : static_cast<int>(std::lround(255 * amount / largest)));
    image.rgb.insert(image.rgb.end(), colour.begin(), colour.end());
  }
  return panel_of(image, sentence("channel {}: at most {:.3g}", channel, most));
}

}  // namespace

Difference difference_of(const ComparedPicture& a, const ComparedPicture& b, const Tolerance& tolerance) {
  assert(a.image.width == b.image.width && a.image.height == b.image.height && !a.image.rgb.empty());
  Difference difference = counted(a, b, tolerance);
  PictureMeasures& picture = *difference.picture;
  picture.psnr = psnr(a.image, b.image);
  if (a.image.rgb == b.image.rgb) {
    picture.ssim = 1;
    return difference;
  }
  if (std::min(a.image.width, a.image.height) >= ssim_window) picture.ssim = ssim(a.image, b.image);
  const Flip seen = flip(a.image, b.image);
  picture.flip = seen.mean;
  picture.flip_x = seen.x;
  picture.flip_y = seen.y;
  return difference;
}

Difference difference_of(std::span<const float> a, std::span<const float> b, const std::array<std::int64_t, 4>& shape,
                         const Tolerance& tolerance) {
  assert(a.size() == b.size() && a.size() == static_cast<std::size_t>(shape[0] * shape[1] * shape[2] * shape[3]));
  Counter counter(tolerance);
  std::size_t worst = 0;
  double squares = 0;
  double squares_a = 0;
  double squares_b = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double of_a = a[i];
    const double of_b = b[i];
    if (counter.add(of_a, of_b)) worst = i;
    squares += (of_a - of_b) * (of_a - of_b);
    squares_a += of_a * of_a;
    squares_b += of_b * of_b;
  }
  Difference difference = counter.counted();
  const auto place = static_cast<std::int64_t>(worst);
  difference.worst.x = place % shape[3];
  difference.worst.y = place / shape[3] % shape[2];
  difference.worst.channel = place / (shape[3] * shape[2]) % shape[1];
  difference.worst.picture = place / (shape[3] * shape[2] * shape[1]);
  if (squares > 0) difference.relative = std::sqrt(squares / std::max(squares_a, squares_b));
  return difference;
}

Image drawn_difference(const ComparedPicture& a, const ComparedPicture& b, const std::string& name_a,
                       const std::string& name_b) {
  std::vector<Panel> panels = {panel_of(a.image, "A: " + name_a), panel_of(b.image, "B: " + name_b)};
  const bool one_size = a.image.width == b.image.width && a.image.height == b.image.height;
  if (one_size) panels.push_back(heat_panel(a, b));
  return beside_each_other(panels);
}

Image drawn_difference(std::span<const float> a, std::span<const float> b, const std::array<std::int64_t, 4>& shape,
                       const Difference& difference) {
  constexpr std::int64_t in_a_row = 4;
  const ValuePair& worst = difference.worst;
  const auto cells = static_cast<std::size_t>(shape[2] * shape[3]);
  std::vector<Image> rows;
  std::vector<Panel> panels;
  for (std::int64_t channel = 0; channel < shape[1]; ++channel) {
    const std::size_t begin = static_cast<std::size_t>(worst.picture * shape[1] + channel) * cells;
    const int width = static_cast<int>(shape[3]);
    Panel panel = heat_panel(a.subspan(begin, cells), b.subspan(begin, cells), width, difference.largest, channel);
    if (channel == worst.channel && difference.largest > 0)
      frame_pixel(panel.picture, static_cast<int>(worst.x), static_cast<int>(worst.y), panel.picture.width / width);
    panels.push_back(std::move(panel));
    if (channel % in_a_row < in_a_row - 1 && channel < shape[1] - 1) continue;
    rows.push_back(beside_each_other(panels));
    panels.clear();
  }
  return stacked(rows);
}

Image amplified_difference(const Image& a, const Image& b, int factor) {
  Image image = a;
  for (std::size_t i = 0; i < image.rgb.size(); ++i) {
    image.rgb[i] = static_cast<std::uint8_t>(std::min(255, factor * std::abs(int{a.rgb[i]} - int{b.rgb[i]})));
  }
  return image;
}

}  // namespace lapis::core
