#include "core/sampling/schedule_shapes.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <limits>

namespace lapis::core {
namespace {

constexpr double beta_shape = 0.6;

/// The continued fraction of the incomplete beta function (Press et al. 2007, "Numerical Recipes", section 6.4), by
/// Lentz's method.
double beta_fraction(double x, double a, double b) {
  constexpr double tiny = std::numeric_limits<double>::min();
  const auto away_from_0 = [](double value) { return std::abs(value) < tiny ? tiny : value; };
  double c = 1;
  double d = 1 / away_from_0(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int m = 1; m < 1000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_0(1 + even * d);
    c = away_from_0(1 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_0(1 + odd * d);
    c = away_from_0(1 + odd / c);
    fraction *= d * c;
    if (std::abs(d * c - 1) < std::numeric_limits<double>::epsilon()) break;
  }
  return fraction;
}

/// The regularised incomplete beta function I_x(a, b).
double beta_share(double x, double a, double b) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - beta_share(1 - x, b, a);
  const double log_beta = std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b);
  return std::exp(a * std::log(x) + b * std::log1p(-x) - log_beta) * beta_fraction(x, a, b) / a;
}

}  // namespace

std::vector<double> evenly(double first, double last, int n) {
  assert(n >= 1);
  std::vector<double> values;
  for (int i = 0; i < n; ++i) values.push_back(first + (last - first) * i / std::max(n - 1, 1));
  return values;
}

std::vector<double> karras_sigmas(SigmaRange range, int n) {
  constexpr double rho = 7;
  std::vector<double> sigmas = evenly(std::pow(range.largest, 1 / rho), std::pow(range.smallest, 1 / rho), n);
  for (double& sigma : sigmas) sigma = std::pow(sigma, rho);
  return sigmas;
}

std::vector<double> exponential_sigmas(SigmaRange range, int n) {
  std::vector<double> sigmas = evenly(std::log(range.largest), std::log(range.smallest), n);
  for (double& sigma : sigmas) sigma = std::exp(sigma);
  return sigmas;
}

std::vector<double> beta_sigmas(SigmaRange range, int n) {
  std::vector<double> sigmas = evenly(1, 0, n);
  for (double& sigma : sigmas) {
    sigma = range.smallest + (range.largest - range.smallest) * beta_quantile(sigma, beta_shape, beta_shape);
  }
  return sigmas;
}

std::vector<double> kl_optimal_sigmas(SigmaRange range, int n) {
  std::vector<double> sigmas = evenly(std::atan(range.largest), std::atan(range.smallest), n);
  for (double& sigma : sigmas) sigma = std::tan(sigma);
  return sigmas;
}

std::vector<double> linear_quadratic_sigmas(double largest, int n) {
  constexpr double threshold = 0.025;  // of the way, where the parabola takes over
  if (n == 1) return {largest};
  const int linear = n / 2;
  const int quadratic = n - linear;
  const double left = linear - threshold * n;
  const double square = left / (static_cast<double>(linear) * quadratic * quadratic);
  const double slope = threshold / linear - 2 * left / (static_cast<double>(quadratic) * quadratic);
  std::vector<double> sigmas;
  for (int i = 0; i < n; ++i) {
    const double way = i < linear ? i * threshold / linear : square * i * i + slope * i + square * linear * linear;
    sigmas.push_back(largest * (1 - way));
  }
  return sigmas;
}

double beta_quantile(double p, double a, double b) {
  double low = 0;
  double high = 1;
  while (true) {  // halves until two neighbouring numbers are left
    const double middle = (low + high) / 2;
    if (middle <= low || middle >= high) return p >= 1 ? 1 : low;
    (beta_share(middle, a, b) < p ? low : high) = middle;
  }
}

std::span<const AysTable> ays_tables() {
  // clang-format off
  static const std::vector<AysTable> rows = {
      {"sd15", {14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029}},
      {"sdxl", {14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029}},
  };
  // clang-format on
  return rows;
}

const AysTable* find_ays_table(std::string_view space) {
  const auto found =
      std::find_if(ays_tables().begin(), ays_tables().end(), [&](const AysTable& row) { return row.space == space; });
  return found == ays_tables().end() ? nullptr : &*found;
}

std::vector<double> ays_sigmas(const AysTable& table, int n) {
  const std::size_t last = table.sigmas.size() - 1;
  std::vector<double> sigmas;
  for (int i = 0; i < n; ++i) {
    const double place = static_cast<double>(last) * i / n;
    const auto below = static_cast<std::size_t>(place);
    const double part = place - static_cast<double>(below);
    sigmas.push_back(std::exp((1 - part) * std::log(table.sigmas[below]) +
                              part * std::log(table.sigmas[std::min(below + 1, last)])));
  }
  return sigmas;
}

}  // namespace lapis::core
