// Samplers that remember what they saw at earlier steps.
#pragma once

#include <array>
#include <utility>
#include <vector>

#include "core/sampling/samplers/sampler_context.hpp"

namespace lapis::core {

/// Puts what a step has seen before all that is remembered, of which so many at most are kept.
template <Vec T>
void remember(Memory<T>& memory, T seen, std::size_t most) {
  memory.insert(memory.begin(), std::move(seen));
  if (memory.size() > most) memory.pop_back();
}

/// How many slopes of earlier steps a method of order 4 remembers: the current step adds the fourth.
inline constexpr std::size_t slopes_remembered = 3;

/// The weighted sum of the newest slope and those before it, the newest first.
template <Vec T>
T weighted(std::span<const double> weights, const T& newest, const Memory<T>& before) {
  assert(weights.size() == before.size() + 1);
  T total = weights[0] * newest;
  for (std::size_t i = 0; i < before.size(); ++i) total = total + weights[i + 1] * before[i];
  return total;
}

/// The explicit Adams-Bashforth sum for equal steps, of as high an order as there are slopes (Liu et al. 2022, "Pseudo
/// Numerical Methods for Diffusion Models on Manifolds", eq. 12).
template <Vec T>
T adams_bashforth(const T& newest, const Memory<T>& before) {
  static constexpr std::array<std::array<double, 4>, 4> weights = {{
      {1, 0, 0, 0},
      {3.0 / 2, -1.0 / 2, 0, 0},
      {23.0 / 12, -16.0 / 12, 5.0 / 12, 0},
      {55.0 / 24, -59.0 / 24, 37.0 / 24, -9.0 / 24},
  }};
  assert(before.size() <= slopes_remembered);
  return weighted<T>(std::span(weights[before.size()]).first(before.size() + 1), newest, before);
}

/// The integral over [context.at(i), context.at(i + 1)] of each Lagrange polynomial through the last `count` sigmas,
/// the newest first. Two Gauss points are exact for the cubics these are at most.
inline std::vector<double> lagrange_integrals(const SamplerContext& context, int i, int count) {
  const double half = (context.at(i + 1) - context.at(i)) / 2;
  const double centre = (context.at(i + 1) + context.at(i)) / 2;
  std::vector<double> integrals;
  for (int j = 0; j < count; ++j) {
    double sum = 0;
    for (const double point : {-1 / std::sqrt(3.0), 1 / std::sqrt(3.0)}) {
      double product = half;
      for (int k = 0; k < count; ++k) {
        if (k == j) continue;
        product *= (centre + half * point - context.at(i - k)) / (context.at(i - j) - context.at(i - k));
      }
      sum += product;
    }
    integrals.push_back(sum);
  }
  return integrals;
}

/// The linear multistep method of order 4 in sigma (k-diffusion's sample_lms; LMSDiscreteScheduler).
template <Vec T, Denoiser<T> D, OnStep F>
T lms(D&& denoise, T x, const SamplerContext& context, Memory<T>& memory, F&& on_step) {
  for (int i = context.first; i < context.stop(); ++i) {
    const T now = slope<T>(x, denoise(x, context.at(i)), context.at(i));
    x = x + weighted<T>(lagrange_integrals(context, i, static_cast<int>(memory.size()) + 1), now, memory);
    remember<T>(memory, now, slopes_remembered);
    on_step(i + 1, context.steps());
  }
  return x;
}

/// Pseudo linear multistep (Liu et al. 2022, eq. 12, started by one improved Euler step: PNDMScheduler with
/// skip_prk_steps). One evaluation more than steps.
template <Vec T, Denoiser<T> D, OnStep F>
T pndm(D&& denoise, T x, const SamplerContext& context, Memory<T>& memory, F&& on_step) {
  for (int i = context.first; i < context.stop(); ++i) {
    const double change = context.at(i + 1) - context.at(i);
    const T now = slope<T>(x, denoise(x, context.at(i)), context.at(i));
    if (i == 0 && context.at(1) > 0) {
      const T trial = x + change * now;
      x = x + (change / 2) * (now + slope<T>(trial, denoise(trial, context.at(1)), context.at(1)));
    } else {
      x = x + change * adams_bashforth<T>(now, memory);
    }
    remember<T>(memory, now, slopes_remembered);
    on_step(i + 1, context.steps());
  }
  return x;
}

/// Improved pseudo linear multistep (Zhang and Chen 2023, "Fast Sampling of Diffusion Models with Exponential
/// Integrator", iPNDM): as pndm, but started with the lower orders. IPNDMScheduler.
template <Vec T, Denoiser<T> D, OnStep F>
T ipndm(D&& denoise, T x, const SamplerContext& context, Memory<T>& memory, F&& on_step) {
  for (int i = context.first; i < context.stop(); ++i) {
    const T now = slope<T>(x, denoise(x, context.at(i)), context.at(i));
    x = x + (context.at(i + 1) - context.at(i)) * adams_bashforth<T>(now, memory);
    remember<T>(memory, now, slopes_remembered);
    on_step(i + 1, context.steps());
  }
  return x;
}

/// The length of step i in lambda: infinite to 0, and from a flow that is noise alone.
inline double lambda_step(const SamplerContext& context, int i) {
  return lambda_of(context.path, context.at(i + 1)) - lambda_of(context.path, context.at(i));
}

/// DPM-Solver++(2M) (Lu et al. 2022, "DPM-Solver++", algorithm 2). The last step, to 0, is of the first order.
template <Vec T, Denoiser<T> D, OnStep F>
T dpmpp_2m(D&& denoise, T x, const SamplerContext& context, Memory<T>& memory, F&& on_step) {
  for (int i = context.first; i < context.stop(); ++i) {
    const T x0 = denoise(x, context.at(i));
    T ahead = x0;
    if (!memory.empty() && context.at(i + 1) > 0) {
      ahead = x0 + (lambda_step(context, i) / lambda_step(context, i - 1) / 2) * (x0 - memory[0]);
    }
    x = euler_step<T>(x, ahead, context.at(i), context.at(i + 1));
    remember<T>(memory, x0, 1);
    on_step(i + 1, context.steps());
  }
  return x;
}

/// The stochastic DPM-Solver++(2M), midpoint (Lu et al. 2022, appendix; with eta 1 the sde-dpmsolver++ of diffusers,
/// with any eta k-diffusion's sample_dpmpp_2m_sde).
template <Vec T, Denoiser<T> D, NoiseSource<T> N, OnStep F>
T dpmpp_2m_sde(D&& denoise, T x, const SamplerContext& context, Memory<T>& memory, N&& noise, F&& on_step) {
  for (int i = context.first; i < context.stop(); ++i) {
    const double next = context.at(i + 1);
    const T x0 = denoise(x, context.at(i));
    if (next == 0) {
      x = x0;
    } else {
      const double h = lambda_step(context, i);
      const double fresh = scaled(context.eta, h);
      const double take = -alpha_of(context.path, next) * std::expm1(-h - fresh);
      x = (next / context.at(i) * std::exp(-fresh)) * x + take * x0;
      if (!memory.empty()) x = x + (0.5 * take * h / lambda_step(context, i - 1)) * (x0 - memory[0]);
      if (context.eta > 0) x = x + (next * std::sqrt(-std::expm1(-2 * fresh))) * noise();
    }
    remember<T>(memory, x0, 1);
    on_step(i + 1, context.steps());
  }
  return x;
}

/// What the last two steps' answers add to the newest, x0, over a step of length `h` in lambda of which `whole` with
/// its fresh noise: phi_2 d1 - phi_3 d2 of k-diffusion's sample_dpmpp_3m_sde.
template <Vec T>
T third_order(const T& x0, std::span<const T> before, const SamplerContext& context, int i, double whole) {
  const double h = lambda_step(context, i);
  const double near = lambda_step(context, i - 1) / h;
  const double phi_2 = std::expm1(-whole) / whole + 1;
  const T first = (1 / near) * (x0 - before[0]);
  if (before.size() == 1) return phi_2 * first;
  const double far = lambda_step(context, i - 2) / h;
  const T bend = first - (1 / far) * (before[0] - before[1]);
  const double phi_3 = phi_2 / whole - 0.5;
  return phi_2 * (first + (near / (near + far)) * bend) - (phi_3 / (near + far)) * bend;
}

/// The stochastic DPM-Solver++(3M) (k-diffusion's sample_dpmpp_3m_sde).
template <Vec T, Denoiser<T> D, NoiseSource<T> N, OnStep F>
T dpmpp_3m_sde(D&& denoise, T x, const SamplerContext& context, Memory<T>& memory, N&& noise, F&& on_step) {
  for (int i = context.first; i < context.stop(); ++i) {
    const double next = context.at(i + 1);
    const T x0 = denoise(x, context.at(i));
    if (next == 0) {
      x = x0;
    } else {
      const double alpha = alpha_of(context.path, next);
      const double fresh = scaled(context.eta, lambda_step(context, i));
      const double whole = lambda_step(context, i) + fresh;
      x = (next / context.at(i) * std::exp(-fresh)) * x + (-alpha * std::expm1(-whole)) * x0;
      if (!memory.empty()) x = x + alpha * third_order<T>(x0, memory, context, i, whole);
      if (context.eta > 0) x = x + (next * std::sqrt(-std::expm1(-2 * fresh))) * noise();
    }
    remember<T>(memory, x0, 2);
    on_step(i + 1, context.steps());
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
T deis(D&& denoise, T x, const SamplerContext& context, Memory<T>& memory, F&& on_step) {
  for (int i = context.first; i < context.stop(); ++i) {
    const double sigma = context.at(i);
    const double next = context.at(i + 1);
    const double alpha = alpha_of(context.path, sigma);
    const T x0 = denoise(x, sigma);
    const T noise = (1 / sigma) * (x - alpha * x0);
    const double last = i > 0 ? ratio_of(context.path, context.at(i - 1)) : std::numeric_limits<double>::infinity();
    if (memory.empty() || next == 0 || std::isinf(last)) {
      x = euler_step<T>(x, x0, sigma, next);
    } else {
      const double now = ratio_of(context.path, sigma);
      const double goal = ratio_of(context.path, next);
      const double newer = log_line_integral(goal, now, last) - log_line_integral(now, now, last);
      const double older = log_line_integral(goal, last, now) - log_line_integral(now, last, now);
      x = alpha_of(context.path, next) * ((1 / alpha) * x + newer * noise + older * memory[0]);
    }
    remember<T>(memory, noise, 1);
    on_step(i + 1, context.steps());
  }
  return x;
}

}  // namespace lapis::core
