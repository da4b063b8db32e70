// Runs of samplers over denoisers that are known exactly, for the tests of samplers.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/sampling/samplers/sample.hpp"
#include "golden.hpp"

namespace lapis::test {

inline constexpr std::array paths = {Path::variance_exploding, Path::flow};

inline std::string path_name(Path path) { return path == Path::flow ? "flow" : "variance_exploding"; }

inline const auto no_callback = [](int, int) {};

/// Numbers that are sampled side by side.
struct Points {
  std::vector<double> values;
};

template <typename F>
Points each(const Points& a, const Points& b, F&& f) {
  Points made;
  for (std::size_t i = 0; i < a.values.size(); ++i) made.values.push_back(f(a.values[i], b.values[i]));
  return made;
}

inline Points operator+(const Points& a, const Points& b) {
  return each(a, b, [](double p, double q) { return p + q; });
}
inline Points operator-(const Points& a, const Points& b) {
  return each(a, b, [](double p, double q) { return p - q; });
}
inline Points operator*(double k, const Points& a) {
  return each(a, a, [k](double p, double) { return k * p; });
}

/// A constant and a sum of independent unit normal numbers, each drawn once: what a linear run makes of noise,
/// exactly.
struct Affine {
  double constant = 0;
  std::map<int, double> parts;

  double variance() const {
    double sum = 0;
    for (const auto& [which, weight] : parts) sum += weight * weight;
    return sum;
  }
};

inline Affine operator*(double k, Affine a) {
  a.constant *= k;
  for (auto& [which, weight] : a.parts) weight *= k;
  return a;
}
inline Affine operator+(Affine a, const Affine& b) {
  a.constant += b.constant;
  for (const auto& [which, weight] : b.parts) a.parts[which] += weight;
  return a;
}
inline Affine operator-(const Affine& a, const Affine& b) { return a + -1 * b; }

/// Data drawn from a Gaussian: the denoiser and the path of the ODE are known exactly, on either path.
struct Gaussian {
  Path path = Path::variance_exploding;
  double mean = 0.7;
  double spread = 1.3;

  /// The standard deviation of x at sigma.
  double spread_at(double sigma) const { return std::hypot(core::alpha_of(path, sigma) * spread, sigma); }

  template <typename T>
  T operator()(const T& x, double sigma) const {
    const double alpha = core::alpha_of(path, sigma);
    const double whole = spread_at(sigma) * spread_at(sigma);
    return (alpha * spread * spread / whole) * x + (sigma * sigma * mean / whole) * unit(x);
  }

  /// Where a run from `x` at `sigma` ends at 0.
  double end_of_path(double x, double sigma) const {
    return mean + (x - core::alpha_of(path, sigma) * mean) * spread / spread_at(sigma);
  }

 private:
  static double unit(double) { return 1; }
  static Affine unit(const Affine&) { return {1, {}}; }
};

/// n sigmas, then 0: from 10 evenly in their seventh root (Karras et al. 2022, eq. 5), or from 0.98 evenly in the time
/// of a flow. The last falls with n, so that the step to 0 has no larger error than the others.
inline std::vector<double> smooth_sigmas(Path path, int steps) {
  std::vector<double> sigmas;
  const double first = std::pow(10.0, 1.0 / 7);
  const double last = std::pow(0.02 * 80.0 / steps, 1.0 / 7);
  for (int i = 0; i < steps; ++i) {
    const double way = static_cast<double>(i) / steps;
    sigmas.push_back(path == Path::flow ? 0.98 * (1 - way) : std::pow(first + (last - first) * i / (steps - 1), 7));
  }
  sigmas.push_back(0);
  return sigmas;
}

/// The error of runs without noise over Gaussian data of several spreads: of one alone it may pass through 0.
inline double error_after(const core::SamplerRow& sampler, Path path, int steps) {
  const std::vector<double> sigmas = smooth_sigmas(path, steps);
  const double start = 0.9 * sigmas[0];
  const core::SigmaTimeMap times({});
  const auto no_noise = [] { return std::nan(""); };
  double sum = 0;
  for (const double spread : {0.6, 1.0, 1.3, 2.0}) {
    const Gaussian gaussian{path, 0.7, spread};
    const double end = core::sample(sampler, gaussian, start, {sigmas, path, 0, &times}, no_noise, no_callback);
    sum += std::pow(end - gaussian.end_of_path(start, sigmas[0]), 2);
  }
  return std::sqrt(sum);
}

/// The order of convergence, as two errors tell it.
inline double measured_order(const core::SamplerRow& sampler, Path path) {
  return std::log2(error_after(sampler, path, 640) / error_after(sampler, path, 1280));
}

/// Mean and standard deviation, less those of the data, of what a run with noise makes of noise over Gaussian data.
inline std::pair<double, double> moment_errors(const core::SamplerRow& row, Path path, int steps,
                                               const core::SigmaTimeMap& times) {
  const Gaussian gaussian{path};
  const std::vector<double> sigmas = smooth_sigmas(path, steps);
  int drawn = 0;
  const auto noise = [&] { return Affine{0, {{++drawn, 1.0}}}; };
  const Affine start = Affine{core::alpha_of(path, sigmas[0]) * gaussian.mean, {{0, gaussian.spread_at(sigmas[0])}}};
  const core::SamplerContext context{sigmas, path, row.eta.value_or(0) > 0 ? *row.eta : 1, &times};
  const Affine end = core::sample(row, gaussian, start, context, noise, no_callback);
  return {end.constant - gaussian.mean, std::sqrt(end.variance()) - gaussian.spread};
}

/// What a run did: the sigma and the x of every call of the network, and where it ended.
struct Record {
  std::vector<double> sigmas;
  std::vector<std::vector<double>> calls;
  std::vector<double> end;
};

/// Replays a case of samplers.json with its own start, noises and network; `change` alters x at every call.
inline Record replay(const nlohmann::json& golden, double change = 0) {
  const Path path = golden.at("path") == "flow" ? Path::flow : Path::variance_exploding;
  const auto sigmas = golden.at("sigmas").get<std::vector<double>>();
  Record record;
  const auto network = [&](const Points& x, double sigma) {
    record.sigmas.push_back(sigma);
    record.calls.push_back(x.values);
    return each(x, x, [&](double value, double) {
      return std::tanh(core::alpha_of(path, sigma) * value / (sigma * sigma)) + change;
    });
  };
  std::size_t drawn = 0;
  const auto noise = [&] { return Points{golden.at("noises").at(drawn++).get<std::vector<double>>()}; };
  SamplingFacts facts;
  facts.zero_snr = golden.value("zero_snr", false);
  const core::SigmaTimeMap times(facts);
  const double eta = golden.at("eta").is_null() ? 0 : golden.at("eta").get<double>();
  const core::SamplerRow& sampler = core::find_sampler(golden.at("sampler").get<std::string>());
  const Points start{golden.at("start").get<std::vector<double>>()};
  record.end = core::sample(sampler, network, start, {sigmas, path, eta, &times}, noise, no_callback).values;
  return record;
}

/// The largest difference between a record and its golden over all calls, relative to the call's largest value, at
/// least 1; infinite where other sigmas were asked about, or another number.
inline double golden_error(const nlohmann::json& golden, const Record& record) {
  const nlohmann::json& calls = golden.at("calls");
  if (calls.size() != record.calls.size()) return INFINITY;
  double largest = 0;
  const auto compare = [&](const std::vector<double>& found, const std::vector<double>& expected) {
    double scale = 1;
    for (const double value : expected) scale = std::max(scale, std::abs(value));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double error = std::abs(found[i] - expected[i]) / scale;
      largest = std::isnan(error) ? INFINITY : std::max(largest, error);
    }
  };
  for (std::size_t i = 0; i < record.calls.size(); ++i) {
    compare({record.sigmas[i]}, {calls[i][0].get<double>()});
    compare(record.calls[i], calls[i][1].get<std::vector<double>>());
  }
  if (!golden.at("end").is_null()) compare(record.end, golden.at("end").get<std::vector<double>>());
  return largest;
}

}  // namespace lapis::test
