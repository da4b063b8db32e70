// What theory says of every sampler, whoever wrote it first.
#include <catch2/catch.hpp>
#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "core/sampling/samplers.hpp"
#include "sampler_runs.hpp"

using namespace lapis;
using namespace lapis::core;
using test::Affine;
using test::Gaussian;
using test::no_callback;

namespace {

/// Rows whose every step draws fresh noise, whatever eta says.
const std::set<std::string> always_noisy = {"ddpm", "lcm"};

/// Rows that are exact in ratios sigma / alpha: over x / alpha a flow is the variance-exploding path.
const std::set<std::string> path_free = {"euler",     "ddim",  "dpmpp_2m", "dpmpp_2m_sde", "dpmpp_3m_sde",
                                         "dpmpp_sde", "unipc", "deis",     "lcm"};

double two_points(double x, double sigma) { return std::tanh(x / (sigma * sigma)); }

}  // namespace

TEST_CASE("every sampler converges with the order its row promises, on every path it supports") {
  for (const SamplerRow& row : samplers()) {
    if (always_noisy.contains(row.name)) continue;
    for (const Path path : test::paths) {
      if (!supports(row, path)) continue;
      INFO(row.name << ", " << test::path_name(path));
      CHECK(test::measured_order(row, path) == Approx(row.order).margin(0.15));
    }
  }
}

TEST_CASE("with noise every sampler ends in the data's mean and spread, better the more steps it takes") {
  const SigmaTimeMap times({});
  for (const SamplerRow& row : samplers()) {
    // lcm and tcd leap to the mean of what a network of theirs was distilled to hold.
    if (!row.uses_noise || row.name == "lcm" || row.name == "tcd") continue;
    for (const Path path : test::paths) {
      if (!supports(row, path)) continue;
      INFO(row.name << ", " << test::path_name(path));
      const auto [mean, spread] = test::moment_errors(row, path, 50, times);
      const auto [finer_mean, finer_spread] = test::moment_errors(row, path, 100, times);
      CHECK(std::abs(finer_mean) < 1e-12);
      CHECK(std::abs(mean) < 1e-12);
      CHECK(std::abs(finer_spread) < (row.order == 1 ? 0.04 : 0.0015));
      CHECK(std::abs(finer_spread) < std::pow(0.6, row.order) * std::abs(spread));
    }
  }
}

TEST_CASE("a flow is the variance-exploding path seen through its ratio of noise to signal") {
  const std::vector<double> sigmas = {0.97, 0.9, 0.7, 0.45, 0.3, 0.12, 0.05, 0.0};
  std::vector<double> ratios;
  for (const double sigma : sigmas) ratios.push_back(ratio_of(Path::flow, sigma));
  for (const std::string& name : path_free) {
    const SamplerRow& sampler = find_sampler(name);
    for (const double eta : {0.0, 0.6, 1.0}) {
      INFO(name << ", eta " << eta);
      const auto through_flow = [](double x, double sigma) { return two_points(x / (1 - sigma), sigma / (1 - sigma)); };
      int drawn = 0;
      const auto noise = [&] { return std::sin(1.7 * ++drawn); };
      const double flow =
          sample(sampler, through_flow, 0.03 * 20, {sigmas, Path::flow, eta, nullptr}, noise, no_callback);
      drawn = 0;
      const double plain =
          sample(sampler, two_points, 20.0, {ratios, Path::variance_exploding, eta, nullptr}, noise, no_callback);
      CHECK(flow == Approx(plain).epsilon(1e-9));
    }
  }
}

TEST_CASE("every sampler samples a flow from noise alone, and over sigmas that repeat") {
  for (const SamplerRow& row : samplers()) {
    if (!supports(row, Path::flow)) continue;
    for (const double eta : {0.0, 1.0}) {
      INFO(row.name << ", eta " << eta);
      const Gaussian gaussian{Path::flow};
      std::vector<std::pair<int, int>> seen;
      const auto count = [&](int done, int all) { seen.emplace_back(done, all); };
      const auto noise = [] { return 0.3; };
      const std::vector<double> once = {1.0, 0.8, 0.5, 0.2, 0.0};
      const std::vector<double> twice = {1.0, 1.0, 0.8, 0.5, 0.5, 0.2, 0.0};
      const double end = sample(row, gaussian, 0.4, {once, Path::flow, eta, nullptr}, noise, no_callback);
      CHECK(std::isfinite(end));
      CHECK(sample(row, gaussian, 0.4, {twice, Path::flow, eta, nullptr}, noise, count) == end);
      REQUIRE_FALSE(seen.empty());
      CHECK(seen.back() == std::pair{6, 6});
    }
  }
}

TEST_CASE("a step to 0 ends in the denoiser's answer exactly") {
  const std::vector<double> sigmas = {3.0, 0.0};
  const SigmaTimeMap times({});
  const auto answer = [](double, double) { return 0.1; };
  for (const SamplerRow& row : samplers()) {
    // Methods of Adams and Bashforth extrapolate a slope, and a slope times sigma rounds.
    const bool slopes = row.name == "lms" || row.name == "pndm" || row.name == "ipndm";
    INFO(row.name);
    const double end = sample(
        row, answer, 2.5, {sigmas, Path::variance_exploding, 1, &times}, [] { return 1.0; }, no_callback);
    CHECK(std::abs(end - 0.1) <= (slopes ? 1e-15 : 0.0));
  }
}

TEST_CASE("noise is drawn only where it is used, as often as docs/samplers.md says") {
  const std::vector<double> sigmas = {8.0, 4.0, 2.0, 1.0, 0.0};
  const SigmaTimeMap times({});
  for (const SamplerRow& row : samplers()) {
    for (const double eta : {0.0, 1.0}) {
      INFO(row.name << ", eta " << eta);
      int drawn = 0;
      const auto noise = [&] { return ++drawn, 0.5; };
      sample(row, two_points, 5.0, {sigmas, Path::variance_exploding, eta, &times}, noise, no_callback);
      const bool draws = row.uses_noise && (eta > 0 || always_noisy.contains(row.name));
      const int each_step = row.name == "dpmpp_sde" ? 2 : 1;
      CHECK(drawn == (draws ? 3 * each_step : 0));
    }
  }
}
