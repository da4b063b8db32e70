#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/samplers.hpp"
#include "golden.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

constexpr double tolerance = 1e-6;

const auto no_callback = [](int, int) {};

/// Data drawn from a Gaussian: the denoiser and the path of the ODE are known exactly.
struct Gaussian {
  double mean = 0.7;
  double spread = 1.3;

  double operator()(double x, double sigma) const {
    const double signal = spread * spread;
    return (signal * x + sigma * sigma * mean) / (signal + sigma * sigma);
  }

  /// Where a walk from `x` at `sigma` ends at 0.
  double end_of_path(double x, double sigma) const { return mean + (x - mean) * spread / std::hypot(spread, sigma); }
};

/// n sigmas from 10 to 0.02, evenly spaced in their seventh root (Karras et al. 2022, eq. 5), then 0.
std::vector<double> smooth_sigmas(int steps) {
  std::vector<double> sigmas;
  const double first = std::pow(10.0, 1.0 / 7);
  const double last = std::pow(0.02 * 80.0 / steps, 1.0 / 7);
  for (int i = 0; i < steps; ++i) sigmas.push_back(std::pow(first + (last - first) * i / (steps - 1), 7));
  sigmas.push_back(0);
  return sigmas;
}

double error_after(Sampler sampler, int steps) {
  const Gaussian gaussian;
  const std::vector<double> sigmas = smooth_sigmas(steps);
  const double start = 9.0;
  return std::abs(sample(sampler, gaussian, start, sigmas, no_callback) - gaussian.end_of_path(start, sigmas[0]));
}

/// E[x0 | x] where x0 is -1 or 1.
double two_points(double x, double sigma) { return std::tanh(x / (sigma * sigma)); }

}  // namespace

TEST_CASE("every sampler converges with the order its row promises") {
  for (const SamplerRow& row : samplers()) {
    if (row.uses_noise) continue;
    INFO(row.name);
    const double order = std::log2(error_after(row.sampler, 160) / error_after(row.sampler, 320));
    CHECK(order == Approx(row.order).margin(0.15));
  }
}

TEST_CASE("every step of Euler equals diffusers' EulerDiscreteScheduler") {
  const nlohmann::json cases = test::golden_cases("sampler_euler");
  REQUIRE(cases.size() >= 12);
  for (const nlohmann::json& golden : cases) {
    const auto sigmas = golden.at("sigmas").get<std::vector<double>>();
    const auto walk = golden.at("walk").get<std::vector<std::vector<double>>>();
    REQUIRE(walk.size() == sigmas.size());
    for (std::size_t step = 0; step + 1 < walk.size(); ++step) {
      INFO(golden.at("spacing") << ", " << golden.at("prediction") << ", step " << step);
      std::vector<double> found;
      const std::array<double, 2> pair = {sigmas[step], sigmas[step + 1]};
      for (const double x : walk[step]) found.push_back(euler(two_points, x, pair, no_callback));
      CHECK(test::largest_error(found, walk[step + 1]) < tolerance);
      found[step % found.size()] *= 1 + 4e-6;
      CHECK_FALSE(test::largest_error(found, walk[step + 1]) < tolerance);
    }
  }
}

TEST_CASE("a walk of one step to 0 ends in the denoiser's answer exactly") {
  const std::array<double, 2> sigmas = {3.0, 0.0};
  CHECK(euler([](double, double) { return 0.1; }, 1e30, sigmas, no_callback) == 0.1);
}

TEST_CASE("the callback counts the steps, and what it throws ends the walk") {
  const std::array<double, 4> sigmas = {4.0, 2.0, 1.0, 0.0};
  const auto zero = [](double, double) { return 0.0; };
  std::vector<int> seen;
  euler(zero, 8.0, sigmas, [&seen](int done, int all) {
    CHECK(all == 3);
    seen.push_back(done);
  });
  CHECK(seen == std::vector<int>{1, 2, 3});
  const auto stop_at_once = [](int, int) { throw std::runtime_error("stopped"); };
  CHECK_THROWS_WITH(euler(zero, 8.0, sigmas, stop_at_once), "stopped");
}

TEST_CASE("samplers go by name, label and alias") {
  for (const SamplerRow& row : samplers()) {
    CHECK(&find_sampler(row.name) == &row);
    CHECK(&find_sampler(row.label) == &row);
    for (const std::string& alias : row.aliases) CHECK(&find_sampler(alias) == &row);
  }
  CHECK(find_sampler("K_EULER").sampler == Sampler::euler);
  CHECK_THROWS_WITH(find_sampler("eular"), Catch::Contains("Did you mean \"euler\"?"));
}

TEST_CASE("every sampler without noise has a golden file") {
  for (const SamplerRow& row : samplers()) {
    if (!row.uses_noise) CHECK_FALSE(test::golden_cases("sampler_" + row.name).empty());
  }
}
