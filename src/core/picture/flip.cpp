#include "core/picture/flip.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <utility>

namespace lapis::core {
namespace {

using Vector = std::array<double, 3>;
using Matrix = std::array<Vector, 3>;

constexpr double pixels_per_degree = 0.7 * (3840 / 0.7) * (std::numbers::pi / 180);

/// Linear sRGB to CIE XYZ (IEC 61966-2-1, D65), as fractions of whole numbers.
constexpr Matrix xyz_of_rgb = {{
    {10135552.0 / 24577794, 8788810.0 / 24577794, 4435075.0 / 24577794},
    {2613072.0 / 12288897, 8788810.0 / 12288897, 887015.0 / 12288897},
    {1425312.0 / 73733382, 8788810.0 / 73733382, 70074185.0 / 73733382},
}};

constexpr Vector times(const Matrix& m, const Vector& v) {
  Vector result{};
  for (std::size_t i = 0; i < 3; ++i) result[i] = m[i][0] * v[0] + m[i][1] * v[1] + m[i][2] * v[2];
  return result;
}

/// By Cramer's rule.
constexpr Matrix inverse(const Matrix& m) {
  const auto minor = [&](std::size_t i, std::size_t j) {
    const std::size_t a = (i + 1) % 3;
    const std::size_t b = (i + 2) % 3;
    const std::size_t c = (j + 1) % 3;
    const std::size_t d = (j + 2) % 3;
    return m[a][c] * m[b][d] - m[a][d] * m[b][c];
  };
  const double determinant = m[0][0] * minor(0, 0) + m[0][1] * minor(0, 1) + m[0][2] * minor(0, 2);
  Matrix result{};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) result[j][i] = minor(i, j) / determinant;
  }
  return result;
}

/// XYZ over that of white, so that white is (1, 1, 1).
constexpr Matrix white_rows() {
  Matrix result = xyz_of_rgb;
  for (Vector& row : result) {
    const double white = row[0] + row[1] + row[2];
    for (double& value : row) value /= white;
  }
  return result;
}

constexpr Matrix relative_xyz_of_rgb = white_rows();

using Colour3 = std::array<float, 3>;

/// A matrix of single precision, for every pixel.
struct Transform {
  std::array<Colour3, 3> rows;

  explicit Transform(const Matrix& matrix) : rows() {
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t j = 0; j < 3; ++j) rows[i][j] = static_cast<float>(matrix[i][j]);
    }
  }

  Colour3 operator()(const Colour3& v) const {
    Colour3 result;
    for (std::size_t i = 0; i < 3; ++i) result[i] = rows[i][0] * v[0] + rows[i][1] * v[1] + rows[i][2] * v[2];
    return result;
  }
};

/// The opponent space YCxCz (section 4.1.1): Y = 116 y - 16, Cx = 500 (x - y), Cz = 200 (y - z) of relative XYZ. Here
/// without the 16, which filters whose sum is 1 leave as it is.
constexpr Matrix opponent_of_relative_xyz = {{{0, 116, 0}, {500, -500, 0}, {0, 200, -200}}};

constexpr Matrix product(const Matrix& a, const Matrix& b) {
  Matrix result{};
  for (std::size_t j = 0; j < 3; ++j) {
    const Vector column = times(a, {b[0][j], b[1][j], b[2][j]});
    for (std::size_t i = 0; i < 3; ++i) result[i][j] = column[i];
  }
  return result;
}

constexpr Matrix opponent_of_rgb = product(opponent_of_relative_xyz, relative_xyz_of_rgb);
constexpr Matrix rgb_of_opponent = inverse(opponent_of_rgb);

/// Linear light of an 8-bit sRGB value.
std::array<float, 256> linear_values() {
  std::array<float, 256> values{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double v = static_cast<double>(i) / 255;
    values[i] = static_cast<float>(v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4));
  }
  return values;
}

/// Weights of a filter along one side; the middle one is that of the pixel itself.
using Taps = std::vector<float>;

/// One Gaussian of a contrast sensitivity function (table 1): a and b of a sqrt(pi / b) exp(-pi^2 d^2 / b), d in
/// degrees.
struct Sensitivity {
  double a;
  double b;
};

constexpr Sensitivity achromatic_sensitivity = {1, 0.0047};
constexpr Sensitivity red_green_sensitivity = {1, 0.0053};
constexpr std::array<Sensitivity, 2> blue_yellow_sensitivity = {{{34.1, 0.04}, {13.5, 0.025}}};

int radius_of(double deviation) { return static_cast<int>(std::ceil(3 * deviation * pixels_per_degree)); }

/// Of all filters of sensitivity, the widest's.
int sensitivity_radius() {
  return radius_of(std::sqrt(blue_yellow_sensitivity[0].b / (2 * std::numbers::pi * std::numbers::pi)));
}

/// The Gaussian along one side with a sum of 1, and what it weighs in two dimensions. Outermost taps that single
/// precision does not see beside the middle one are left out.
std::pair<Taps, double> gaussian(const Sensitivity& sensitivity) {
  constexpr double pi = std::numbers::pi;
  constexpr double unseen = 1e-10;
  std::vector<double> values;
  double sum = 0;
  const int radius = sensitivity_radius();
  for (int i = -radius; i <= radius; ++i) {
    const double d = i / pixels_per_degree;
    values.push_back(std::exp(-pi * pi * d * d / sensitivity.b));
    sum += values.back();
  }
  Taps taps;
  for (const double value : values) {
    if (value > unseen) taps.push_back(static_cast<float>(value / sum));
  }
  return {taps, sensitivity.a * std::sqrt(pi / sensitivity.b) * sum * sum};
}

/// Filters of the features (section 4.2.1): a Gaussian as wide as an edge is seen, its first derivative for edges and
/// its second for points. Positive weights of the derivatives have a sum of 1, negative ones of -1.
struct FeatureTaps {
  Taps smooth;
  Taps edge;
  Taps point;
};

FeatureTaps feature_taps() {
  constexpr double width = 0.082;  // degrees
  const double deviation = 0.5 * width * pixels_per_degree;
  const int radius = radius_of(0.5 * width);
  std::array<std::vector<double>, 3> values;
  for (int i = -radius; i <= radius; ++i) {
    const double g = std::exp(-i * i / (2 * deviation * deviation));
    values[0].push_back(g);
    values[1].push_back(-i * g);
    values[2].push_back((i * i / (deviation * deviation) - 1) * g);
  }
  const auto scaled = [](const std::vector<double>& all) {
    double positive = 0;
    double negative = 0;
    for (const double value : all) (value > 0 ? positive : negative) += value;
    Taps taps;
    for (const double value : all) taps.push_back(static_cast<float>(value > 0 ? value / positive : -value / negative));
    return taps;
  };
  return {scaled(values[0]), scaled(values[1]), scaled(values[2])};
}

/// All filters, and what the two Gaussians of blue and yellow weigh.
struct Filters {
  Taps luminance = gaussian(achromatic_sensitivity).first;
  Taps red_green = gaussian(red_green_sensitivity).first;
  std::array<Taps, 2> blue_yellow;
  std::array<float, 2> shares{};
  FeatureTaps features = feature_taps();
  int margin = 0;  ///< pixels that the widest reaches to each side

  Filters() {
    const auto [wide, wide_weight] = gaussian(blue_yellow_sensitivity[0]);
    const auto [narrow, narrow_weight] = gaussian(blue_yellow_sensitivity[1]);
    blue_yellow = {wide, narrow};
    shares[0] = static_cast<float>(wide_weight / (wide_weight + narrow_weight));
    shares[1] = 1 - shares[0];
    margin = static_cast<int>(std::max(wide.size(), features.edge.size()) / 2);
  }
};

/// Values of some rows of a picture.
struct Rows {
  std::size_t width;
  std::vector<float> values;

  Rows(std::size_t width_, std::size_t height) : width(width_), values(width_ * height) {}
  float* row(std::size_t y) { return values.data() + y * width; }
  const float* row(std::size_t y) const { return values.data() + y * width; }
  std::size_t height() const { return values.size() / width; }
};

void add_scaled(float* to, const float* from, float weight, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) to[i] += weight * from[i];
}

/// Filters along rows, which are `margin` longer than the result at both ends.
Rows along_rows(const Rows& rows, const Taps& taps, std::size_t margin) {
  Rows result(rows.width - 2 * margin, rows.height());
  const std::size_t first = margin - taps.size() / 2;
  for (std::size_t y = 0; y < result.height(); ++y) {
    for (std::size_t i = 0; i < taps.size(); ++i) {
      add_scaled(result.row(y), rows.row(y) + first + i, taps[i], result.width);
    }
  }
  return result;
}

/// Filters along columns, which are `margin` longer than the result at both ends, and adds that to it.
void add_along_columns(Rows& result, const Rows& rows, const Taps& taps, std::size_t margin, float weight = 1) {
  const std::size_t first = margin - taps.size() / 2;
  for (std::size_t y = 0; y < result.height(); ++y) {
    for (std::size_t i = 0; i < taps.size(); ++i) {
      add_scaled(result.row(y), rows.row(y + first + i), weight * taps[i], result.width);
    }
  }
}

/// Rows of a picture as FLIP sees them.
struct Seen {
  std::array<Rows, 3> opponent;  ///< YCxCz without what nobody sees of it
  Rows edge;                     ///< sizes of gradients
  Rows point;
};

/// Rows of a picture in YCxCz, with a margin all around: beyond an edge stands its last pixel.
std::array<Rows, 3> opponent_rows(const Image& image, int top, int height, int margin) {
  static const std::array<float, 256> linear = linear_values();
  static const Transform opponent(opponent_of_rgb);
  const std::size_t margins = 2 * static_cast<std::size_t>(margin);
  const std::size_t width = static_cast<std::size_t>(image.width) + margins;
  const std::size_t count = static_cast<std::size_t>(height) + margins;
  std::array<Rows, 3> rows = {Rows(width, count), Rows(width, count), Rows(width, count)};
  for (std::size_t y = 0; y < count; ++y) {
    const int from = std::clamp(top - margin + static_cast<int>(y), 0, image.height - 1);
    const std::uint8_t* row =
        image.rgb.data() + static_cast<std::size_t>(from) * static_cast<std::size_t>(image.width) * 3;
    for (std::size_t x = 0; x < width; ++x) {
      const std::uint8_t* rgb = row + std::ptrdiff_t{3} * std::clamp(static_cast<int>(x) - margin, 0, image.width - 1);
      const Colour3 colour = opponent({linear[rgb[0]], linear[rgb[1]], linear[rgb[2]]});
      for (std::size_t c = 0; c < 3; ++c) rows[c].row(y)[x] = colour[c];
    }
  }
  return rows;
}

/// Size of the gradient whose two parts are a filter along rows with smoothing along columns, and the other way round.
Rows gradient(const Rows& filtered, const Rows& smoothed, const Taps& smooth, const Taps& taps, std::size_t margin) {
  const std::size_t height = filtered.height() - 2 * margin;
  Rows across(filtered.width, height);
  Rows down(filtered.width, height);
  add_along_columns(across, filtered, smooth, margin);
  add_along_columns(down, smoothed, taps, margin);
  for (std::size_t i = 0; i < across.values.size(); ++i) {
    across.values[i] = std::sqrt(across.values[i] * across.values[i] + down.values[i] * down.values[i]);
  }
  return across;
}

Seen seen(const Image& image, int top, int height, const Filters& filters) {
  const auto margin = static_cast<std::size_t>(filters.margin);
  const std::array<Rows, 3> rows = opponent_rows(image, top, height, filters.margin);
  const Rows empty(static_cast<std::size_t>(image.width), static_cast<std::size_t>(height));
  std::array<Rows, 3> opponent = {empty, empty, empty};
  add_along_columns(opponent[0], along_rows(rows[0], filters.luminance, margin), filters.luminance, margin);
  add_along_columns(opponent[1], along_rows(rows[1], filters.red_green, margin), filters.red_green, margin);
  for (std::size_t i = 0; i < 2; ++i) {
    const Taps& taps = filters.blue_yellow[i];
    add_along_columns(opponent[2], along_rows(rows[2], taps, margin), taps, margin, filters.shares[i]);
  }
  const auto& [smooth, edge, point] = filters.features;
  const Rows smoothed = along_rows(rows[0], smooth, margin);
  return {std::move(opponent), gradient(along_rows(rows[0], edge, margin), smoothed, smooth, edge, margin),
          gradient(along_rows(rows[0], point, margin), smoothed, smooth, point, margin)};
}

/// L*a*b* of linear sRGB within 0 to 1, a and b by L / 100: the Hunt effect (section 4.1.2).
Colour3 adjusted_lab(const Colour3& rgb) {
  static const Transform relative_xyz(relative_xyz_of_rgb);
  constexpr float delta = 6.0F / 29;
  Colour3 f = relative_xyz(rgb);
  for (float& v : f) v = v > delta * delta * delta ? std::cbrt(v) : v / (3 * delta * delta) + 4.0F / 29;
  const float lightness = 116 * f[1] - 16;
  const float hunt = 0.01F * lightness;
  return {lightness, 500 * (f[0] - f[1]) * hunt, 200 * (f[1] - f[2]) * hunt};
}

/// HyAB, the distance of large differences of colour (section 4.1.3).
float hyab(const Colour3& a, const Colour3& b) {
  const float da = a[1] - b[1];
  const float db = a[2] - b[2];
  return std::abs(a[0] - b[0]) + std::sqrt(da * da + db * db);
}

constexpr float colour_exponent = 0.7F;

/// The error of colour, 0 to 1 (section 4.1.4): what is below 0.4 of the largest, that of pure green and blue, takes
/// all but 0.05 of the range.
float colour_error(const Colour3& a, const Colour3& b) {
  static const float largest = std::pow(hyab(adjusted_lab({0, 1, 0}), adjusted_lab({0, 0, 1})), colour_exponent);
  constexpr float reached = 0.95F;
  const float bend = 0.4F * largest;
  const float error = std::pow(hyab(adjusted_lab(a), adjusted_lab(b)), colour_exponent);
  return error < bend ? reached / bend * error : reached + (error - bend) / (largest - bend) * (1 - reached);
}

Colour3 clamped_rgb(const Seen& picture, std::size_t i) {
  static const Transform rgb_of(rgb_of_opponent);
  Colour3 rgb = rgb_of({picture.opponent[0].values[i], picture.opponent[1].values[i], picture.opponent[2].values[i]});
  for (float& v : rgb) v = std::clamp(v, 0.0F, 1.0F);
  return rgb;
}

/// The error of one pixel (sections 4.2.2 and 4.3): that of colour, to the power of what features leave.
float pixel_error(const Seen& a, const Seen& b, std::size_t i) {
  const float luminance_range = 116;  // features are of Y scaled to 0 to 1
  const float edges = std::abs(a.edge.values[i] - b.edge.values[i]);
  const float points = std::abs(a.point.values[i] - b.point.values[i]);
  const float feature = std::sqrt(std::max(edges, points) / (luminance_range * std::numbers::sqrt2_v<float>));
  const float colour = colour_error(clamped_rgb(a, i), clamped_rgb(b, i));
  return colour > 0 ? std::pow(colour, 1 - std::min(feature, 1.0F)) : feature >= 1 ? 1.0F : 0.0F;
}

}  // namespace

Flip flip(const Image& reference, const Image& test) {
  assert(reference.width == test.width && reference.height == test.height && !reference.rgb.empty());
  constexpr int band = 64;  // rows at a time: memory stays small, and in the processor's caches
  Flip result;
  result.errors.resize(reference.rgb.size() / 3);
  if (reference.rgb == test.rgb) return result;
  static const Filters filters;
  auto to = result.errors.begin();
  double sum = 0;
  for (int top = 0; top < reference.height; top += band) {
    const int height = std::min(band, reference.height - top);
    const Seen a = seen(reference, top, height, filters);
    const Seen b = seen(test, top, height, filters);
    for (std::size_t i = 0; i < a.edge.values.size(); ++i) sum += * to++ = pixel_error(a, b, i);
  }
  const auto largest = std::max_element(result.errors.begin(), result.errors.end()) - result.errors.begin();
  result.mean = sum / static_cast<double>(result.errors.size());
  result.x = static_cast<int>(largest % reference.width);
  result.y = static_cast<int>(largest / reference.width);
  return result;
}

}  // namespace lapis::core
