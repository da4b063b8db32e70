#include "core/picture/similarity.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/text/sentence.hpp"

namespace lapis::core {
namespace {

constexpr int window_side = ssim_window;
constexpr double window_deviation = 1.5;
constexpr double range = 255;

/// One channel's samples, or a product of two.
struct Plane {
  std::size_t width = 0;
  std::size_t height = 0;
  std::vector<double> values;
};

std::array<double, window_side> gaussian_window() {
  std::array<double, window_side> weights{};
  double sum = 0;
  constexpr int middle = window_side / 2;
  for (int i = 0; i < window_side; ++i) {
    const double x = i - middle;
    weights[static_cast<std::size_t>(i)] = std::exp(-x * x / (2 * window_deviation * window_deviation));
    sum += weights[static_cast<std::size_t>(i)];
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

/// The window's mean at every place where it lies inside.
Plane windowed(const Plane& plane) {
  static const std::array<double, window_side> weights = gaussian_window();
  const std::size_t width = plane.width - window_side + 1;
  const std::size_t height = plane.height - window_side + 1;
  std::vector<double> columns(plane.width);
  Plane result{width, height, std::vector<double>(width * height)};
  for (std::size_t y = 0; y < height; ++y) {
    std::fill(columns.begin(), columns.end(), 0.0);
    for (std::size_t k = 0; k < window_side; ++k) {
      const double* row = plane.values.data() + (y + k) * plane.width;
      for (std::size_t x = 0; x < plane.width; ++x) columns[x] += weights[k] * row[x];
    }
    double* to = result.values.data() + y * width;
    for (std::size_t k = 0; k < window_side; ++k) {
      for (std::size_t x = 0; x < width; ++x) to[x] += weights[k] * columns[x + k];
    }
  }
  return result;
}

/// One channel of some rows.
Plane channel_of(const Image& image, std::size_t channel, int top, int rows) {
  Plane plane{static_cast<std::size_t>(image.width), static_cast<std::size_t>(rows), {}};
  const std::size_t row = plane.width * 3;
  plane.values.reserve(plane.width * plane.height);
  const std::size_t end = static_cast<std::size_t>(top + rows) * row;
  for (std::size_t i = static_cast<std::size_t>(top) * row + channel; i < end; i += 3)
    plane.values.push_back(image.rgb[i]);
  return plane;
}

Plane product(const Plane& a, const Plane& b) {
  Plane result = a;
  for (std::size_t i = 0; i < result.values.size(); ++i) result.values[i] *= b.values[i];
  return result;
}

/// The sum over all places of a window within these rows.
double sum_of_ssim(const Plane& x, const Plane& y) {
  constexpr double c1 = (0.01 * range) * (0.01 * range);
  constexpr double c2 = (0.03 * range) * (0.03 * range);
  const Plane mean_x = windowed(x);
  const Plane mean_y = windowed(y);
  const Plane mean_xx = windowed(product(x, x));
  const Plane mean_yy = windowed(product(y, y));
  const Plane mean_xy = windowed(product(x, y));
  double sum = 0;
  for (std::size_t i = 0; i < mean_x.values.size(); ++i) {
    const double mx = mean_x.values[i];
    const double my = mean_y.values[i];
    const double variance_x = mean_xx.values[i] - mx * mx;
    const double variance_y = mean_yy.values[i] - my * my;
    const double covariance = mean_xy.values[i] - mx * my;
    sum += (2 * mx * my + c1) * (2 * covariance + c2) / ((mx * mx + my * my + c1) * (variance_x + variance_y + c2));
  }
  return sum;
}

}  // namespace

double psnr(const Image& a, const Image& b) {
  assert(a.width == b.width && a.height == b.height && !a.rgb.empty());
  std::uint64_t squares = 0;
  for (std::size_t i = 0; i < a.rgb.size(); ++i) {
    const int difference = a.rgb[i] - b.rgb[i];
    squares += static_cast<std::uint64_t>(difference * difference);
  }
  if (squares == 0) return std::numeric_limits<double>::infinity();
  return 10 * std::log10(range * range * static_cast<double>(a.rgb.size()) / static_cast<double>(squares));
}

double ssim(const Image& a, const Image& b) {
  assert(a.width == b.width && a.height == b.height && a.width >= window_side && a.height >= window_side);
  constexpr int band = 128;  // places at a time, from top to bottom: memory stays small
  const int places = a.height - window_side + 1;
  double sum = 0;
  for (std::size_t channel = 0; channel < 3; ++channel) {
    for (int top = 0; top < places; top += band) {
      const int rows = std::min(band, places - top) + window_side - 1;
      sum += sum_of_ssim(channel_of(a, channel, top, rows), channel_of(b, channel, top, rows));
    }
  }
  return sum / (3.0 * places * (a.width - window_side + 1));
}

std::string psnr_text(double psnr) { return std::isinf(psnr) ? "equal" : sentence("{:.1f} dB", psnr); }

}  // namespace lapis::core
