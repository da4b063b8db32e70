// Samplers that remember what they saw at earlier steps.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "core/samplers/walk.hpp"

namespace lapis::core {

/// The last few slopes of a walk, the newest first.
template <Vec T>
class Slopes {
 public:
  void add(T slope) {
    slopes_.insert(slopes_.begin(), std::move(slope));
    if (slopes_.size() > longest) slopes_.pop_back();
  }

  std::size_t size() const { return slopes_.size(); }

  /// Their weighted sum, one weight for each.
  T sum(std::span<const double> weights) const {
    assert(weights.size() == slopes_.size());
    T total = weights[0] * slopes_[0];
    for (std::size_t i = 1; i < slopes_.size(); ++i) total = total + weights[i] * slopes_[i];
    return total;
  }

  /// The explicit Adams-Bashforth sum for equal steps, of order size() (Liu et al. 2022, "Pseudo Numerical Methods for
  /// Diffusion Models on Manifolds", eq. 12).
  T adams_bashforth() const {
    static constexpr std::array<std::array<double, 4>, 4> weights = {{
        {1, 0, 0, 0},
        {3.0 / 2, -1.0 / 2, 0, 0},
        {23.0 / 12, -16.0 / 12, 5.0 / 12, 0},
        {55.0 / 24, -59.0 / 24, 37.0 / 24, -9.0 / 24},
    }};
    return sum(std::span(weights[size() - 1]).first(size()));
  }

 private:
  static constexpr std::size_t longest = 4;
  std::vector<T> slopes_;
};

/// The integral over [course.at(i), course.at(i + 1)] of each Lagrange polynomial through the last `count` sigmas, the
/// newest first. Two Gauss points are exact for the cubics these are at most.
inline std::vector<double> lagrange_integrals(const Course& course, int i, int count) {
  const double half = (course.at(i + 1) - course.at(i)) / 2;
  const double centre = (course.at(i + 1) + course.at(i)) / 2;
  std::vector<double> integrals;
  for (int j = 0; j < count; ++j) {
    double sum = 0;
    for (const double point : {-1 / std::sqrt(3.0), 1 / std::sqrt(3.0)}) {
      double product = half;
      for (int k = 0; k < count; ++k) {
        if (k == j) continue;
        product *= (centre + half * point - course.at(i - k)) / (course.at(i - j) - course.at(i - k));
      }
      sum += product;
    }
    integrals.push_back(sum);
  }
  return integrals;
}

/// The linear multistep method of order 4 in sigma (k-diffusion's sample_lms; LMSDiscreteScheduler).
template <Vec T, Denoiser<T> D, OnStep F>
T lms(D&& denoise, T x, const Course& course, F&& on_step) {
  Slopes<T> slopes;
  for (int i = 0; i < course.steps(); ++i) {
    slopes.add(slope<T>(x, denoise(x, course.at(i)), course.at(i)));
    x = x + slopes.sum(lagrange_integrals(course, i, static_cast<int>(slopes.size())));
    on_step(i + 1, course.steps());
  }
  return x;
}

/// Pseudo linear multistep (Liu et al. 2022, eq. 12, started by one improved Euler step: PNDMScheduler with
/// skip_prk_steps). One evaluation more than steps.
template <Vec T, Denoiser<T> D, OnStep F>
T pndm(D&& denoise, T x, const Course& course, F&& on_step) {
  Slopes<T> slopes;
  for (int i = 0; i < course.steps(); ++i) {
    const double change = course.at(i + 1) - course.at(i);
    slopes.add(slope<T>(x, denoise(x, course.at(i)), course.at(i)));
    if (i == 0 && course.at(1) > 0) {
      const T first = slopes.adams_bashforth();
      const T trial = x + change * first;
      x = x + (change / 2) * (first + slope<T>(trial, denoise(trial, course.at(1)), course.at(1)));
    } else {
      x = x + change * slopes.adams_bashforth();
    }
    on_step(i + 1, course.steps());
  }
  return x;
}

/// Improved pseudo linear multistep (Zhang and Chen 2023, "Fast Sampling of Diffusion Models with Exponential
/// Integrator", iPNDM): as pndm, but started with the lower orders. IPNDMScheduler.
template <Vec T, Denoiser<T> D, OnStep F>
T ipndm(D&& denoise, T x, const Course& course, F&& on_step) {
  Slopes<T> slopes;
  for (int i = 0; i < course.steps(); ++i) {
    slopes.add(slope<T>(x, denoise(x, course.at(i)), course.at(i)));
    x = x + (course.at(i + 1) - course.at(i)) * slopes.adams_bashforth();
    on_step(i + 1, course.steps());
  }
  return x;
}

/// The length of step i in lambda: infinite to 0, and from a flow that is noise alone.
inline double lambda_step(const Course& course, int i) {
  return lambda_of(course.path, course.at(i + 1)) - lambda_of(course.path, course.at(i));
}

/// DPM-Solver++(2M) (Lu et al. 2022, "DPM-Solver++", algorithm 2). The last step, to 0, is of the first order.
template <Vec T, Denoiser<T> D, OnStep F>
T dpmpp_2m(D&& denoise, T x, const Course& course, F&& on_step) {
  std::optional<T> before;
  for (int i = 0; i < course.steps(); ++i) {
    const T x0 = denoise(x, course.at(i));
    T ahead = x0;
    if (before && course.at(i + 1) > 0) {
      ahead = x0 + (lambda_step(course, i) / lambda_step(course, i - 1) / 2) * (x0 - *before);
    }
    x = moved<T>(x, ahead, course.at(i), course.at(i + 1));
    before = x0;
    on_step(i + 1, course.steps());
  }
  return x;
}

/// The stochastic DPM-Solver++(2M), midpoint (Lu et al. 2022, appendix; with eta 1 the sde-dpmsolver++ of diffusers,
/// with any eta k-diffusion's sample_dpmpp_2m_sde).
template <Vec T, Denoiser<T> D, NoiseSource<T> N, OnStep F>
T dpmpp_2m_sde(D&& denoise, T x, const Course& course, N&& noise, F&& on_step) {
  std::optional<T> before;
  for (int i = 0; i < course.steps(); ++i) {
    const double next = course.at(i + 1);
    const T x0 = denoise(x, course.at(i));
    if (next == 0) {
      x = x0;
    } else {
      const double h = lambda_step(course, i);
      const double fresh = scaled(course.eta, h);
      const double take = -alpha_of(course.path, next) * std::expm1(-h - fresh);
      x = (next / course.at(i) * std::exp(-fresh)) * x + take * x0;
      if (before) x = x + (0.5 * take * h / lambda_step(course, i - 1)) * (x0 - *before);
      if (course.eta > 0) x = x + (next * std::sqrt(-std::expm1(-2 * fresh))) * noise();
    }
    before = x0;
    on_step(i + 1, course.steps());
  }
  return x;
}

/// What the last two steps' answers add to the newest, x0, over a step of length `h` in lambda of which `whole` with
/// its fresh noise: phi_2 d1 - phi_3 d2 of k-diffusion's sample_dpmpp_3m_sde.
template <Vec T>
T third_order(const T& x0, std::span<const T> before, const Course& course, int i, double whole) {
  const double h = lambda_step(course, i);
  const double near = lambda_step(course, i - 1) / h;
  const double phi_2 = std::expm1(-whole) / whole + 1;
  const T first = (1 / near) * (x0 - before[0]);
  if (before.size() == 1) return phi_2 * first;
  const double far = lambda_step(course, i - 2) / h;
  const T bend = first - (1 / far) * (before[0] - before[1]);
  const double phi_3 = phi_2 / whole - 0.5;
  return phi_2 * (first + (near / (near + far)) * bend) - (phi_3 / (near + far)) * bend;
}

/// The stochastic DPM-Solver++(3M) (k-diffusion's sample_dpmpp_3m_sde).
template <Vec T, Denoiser<T> D, NoiseSource<T> N, OnStep F>
T dpmpp_3m_sde(D&& denoise, T x, const Course& course, N&& noise, F&& on_step) {
  std::vector<T> before;  // the newest first, two at most
  for (int i = 0; i < course.steps(); ++i) {
    const double next = course.at(i + 1);
    const T x0 = denoise(x, course.at(i));
    if (next == 0) {
      x = x0;
    } else {
      const double alpha = alpha_of(course.path, next);
      const double fresh = scaled(course.eta, lambda_step(course, i));
      const double whole = lambda_step(course, i) + fresh;
      x = (next / course.at(i) * std::exp(-fresh)) * x + (-alpha * std::expm1(-whole)) * x0;
      if (!before.empty()) x = x + alpha * third_order<T>(x0, before, course, i, whole);
      if (course.eta > 0) x = x + (next * std::sqrt(-std::expm1(-2 * fresh))) * noise();
    }
    before.insert(before.begin(), x0);
    if (before.size() > 2) before.pop_back();
    on_step(i + 1, course.steps());
  }
  return x;
}

/// An antiderivative, at k, of the line in ln k that is 1 at `one` and 0 at `zero`.
inline double log_line_integral(double k, double one, double zero) {
  return k * (std::log(k / zero) - 1) / std::log(one / zero);
}

/// Exponential multistep of the second order in ln(sigma / alpha) (Zhang and Chen 2023, "Fast Sampling of Diffusion
/// Models with Exponential Integrator", rhoAB-DEIS; DEISMultistepScheduler with logrho). First order on the first step,
/// on one to 0, and after one from a flow that is noise alone.
template <Vec T, Denoiser<T> D, OnStep F>
T deis(D&& denoise, T x, const Course& course, F&& on_step) {
  std::optional<T> before;
  for (int i = 0; i < course.steps(); ++i) {
    const double sigma = course.at(i);
    const double next = course.at(i + 1);
    const double alpha = alpha_of(course.path, sigma);
    const T x0 = denoise(x, sigma);
    const T noise = (1 / sigma) * (x - alpha * x0);
    const double last = i > 0 ? ratio_of(course.path, course.at(i - 1)) : std::numeric_limits<double>::infinity();
    if (!before || next == 0 || std::isinf(last)) {
      x = moved<T>(x, x0, sigma, next);
    } else {
      const double now = ratio_of(course.path, sigma);
      const double goal = ratio_of(course.path, next);
      const double newer = log_line_integral(goal, now, last) - log_line_integral(now, now, last);
      const double older = log_line_integral(goal, last, now) - log_line_integral(now, last, now);
      x = alpha_of(course.path, next) * ((1 / alpha) * x + newer * noise + older * *before);
    }
    before = noise;
    on_step(i + 1, course.steps());
  }
  return x;
}

}  // namespace lapis::core
