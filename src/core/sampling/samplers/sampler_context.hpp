// What every sampler is written with.
#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <limits>
#include <span>
#include <vector>

#include "core/sampling/sigma_time_map.hpp"
#include "lapis/sampling.hpp"

namespace lapis::core {

/// What a sampler works on: a number, an array, a tensor.
template <typename T>
concept Vec = std::copyable<T> && requires(const T& a, double k) {
  { a + a } -> std::convertible_to<T>;
  { a - a } -> std::convertible_to<T>;
  { k* a } -> std::convertible_to<T>;
};

/// D(x, sigma) -> x0: the clean value expected behind x = alpha(sigma) x0 + sigma n. What a network predicts (epsilon,
/// v, a velocity) is the denoiser's own affair.
template <typename D, typename T>
concept Denoiser = requires(D denoise, const T& x, double sigma) {
  { denoise(x, sigma) } -> std::convertible_to<T>;
};

/// Each call gives fresh unit normal numbers of x's shape.
template <typename N, typename T>
concept NoiseSource = requires(N noise) {
  { noise() } -> std::convertible_to<T>;
};

/// Called after each step with the steps done, those before its beginning among them, and the steps of its sigmas. What
/// it returns is not looked at; what it throws ends the run.
template <typename F>
concept OnStep = std::invocable<F&, int, int>;

/// What a run has seen at earlier steps and looks at again: empty at its start. A run that is stopped between two
/// steps and goes on later with the same memory gives the same numbers as one that never stopped.
template <Vec T>
using Memory = std::vector<T>;

/// Where a run goes, and how. Borrows its sigmas and its times.
struct SamplerContext {
  std::span<const double> sigmas;              ///< strictly falling; only the last may be 0; at least two
  Path path = Path::variance_exploding;        ///< which forward process x = alpha x0 + sigma n the sigmas belong to
  double eta = 0;                              ///< share of fresh noise, 0 to 1, where the sampler has one
  const SigmaTimeMap* times = nullptr;         ///< the training's times; only tcd reads it, which needs it
  int first = 0;                               ///< the step that the run begins with: so many were done before
  int last = std::numeric_limits<int>::max();  ///< steps after which it stops, of those of its sigmas at most

  int steps() const { return static_cast<int>(sigmas.size()) - 1; }
  int stop() const { return std::min(last, steps()); }
  double at(int i) const { return sigmas[static_cast<std::size_t>(i)]; }
};

/// alpha of x = alpha x0 + sigma n: 1 on the variance-exploding path, 1 - sigma on the flow path.
inline double alpha_of(Path path, double sigma) { return path == Path::flow ? 1 - sigma : 1; }

/// Noise to signal, sigma / alpha: infinite where a flow is noise alone.
inline double ratio_of(Path path, double sigma) { return sigma / alpha_of(path, sigma); }

/// Half the logarithm of the signal-to-noise ratio, ln(alpha / sigma) (Kingma et al. 2021, "Variational Diffusion
/// Models"; the lambda of Lu et al. 2022, "DPM-Solver"). Infinite at 0, and minus infinite where a flow is noise alone.
inline double lambda_of(Path path, double sigma) { return -std::log(ratio_of(path, sigma)); }

/// The sigma of a noise to signal ratio.
inline double sigma_of_ratio(Path path, double ratio) { return path == Path::flow ? ratio / (1 + ratio) : ratio; }

/// The sigma half way between two in lambda. A flow that is noise alone counts as sigma 0.9999, as ComfyUI has it.
inline double sigma_between(Path path, double from, double to) {
  const double begin = path == Path::flow ? std::min(from, 0.9999) : from;
  return sigma_of_ratio(path, std::sqrt(ratio_of(path, begin) * ratio_of(path, to)));
}

/// x moved from sigma `from` to `to` with its clean value held: r x + (1 - r) x0, r = to / from. On both paths this is
/// Euler's step on dx/dsigma = (x - x0) / sigma, the step of DDIM, and the first order of every exponential integrator
/// in lambda (Lu et al. 2022, "DPM-Solver++", eq. 9: sigma'/sigma x - alpha' (e^-h - 1) x0). At 0 it is x0 exactly.
template <Vec T>
T euler_step(const T& x, const T& x0, double from, double to) {
  const double ratio = to / from;
  return ratio * x + (1 - ratio) * x0;
}

/// dx/dsigma on either path: the predicted noise where alpha is 1, the velocity of a flow.
template <Vec T>
T slope(const T& x, const T& x0, double sigma) {
  return (1 / sigma) * (x - x0);
}

/// a of a b, where an infinite b must not make 0 of a NaN.
inline double scaled(double a, double b) { return a == 0 ? 0 : a * b; }

/// What a step with fresh noise does: x' = keep x + take x0 + noise n.
struct Renoising {
  double keep;
  double take;
  double noise;
};

/// Goes from sigma to `next` with the share eta of the noise drawn afresh, exactly, with the clean value held: noise
/// up^2 = eta^2 k'^2 (1 - k'^2 / k^2) of the ratio k'^2 to arrive at is new. eta 1 is the posterior q(x' | x, x0) of Ho
/// et al. 2020, eq. 7, and between lies Song et al. 2021, "Denoising Diffusion Implicit Models", eq. 12 and 16; the
/// same as get_ancestral_step of k-diffusion.
inline Renoising renoising(Path path, double sigma, double next, double eta) {
  const double alpha = alpha_of(path, next);
  const double ratio = ratio_of(path, sigma);
  const double goal = ratio_of(path, next);
  const double up = std::min(goal, eta * goal * std::sqrt(1 - (goal / ratio) * (goal / ratio)));
  const double down = std::sqrt(goal * goal - up * up);
  return {alpha * down / sigma, alpha * (1 - down / ratio), alpha * up};
}

}  // namespace lapis::core
