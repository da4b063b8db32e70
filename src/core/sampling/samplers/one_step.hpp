// Samplers that look at one step alone and draw no noise, or draw it to leap.
#pragma once

#include "core/sampling/samplers/sampler_context.hpp"

namespace lapis::core {

/// Euler's method on dx/dsigma = (x - D(x, sigma)) / sigma (Karras et al. 2022, "Elucidating the Design Space of
/// Diffusion-Based Generative Models", eq. 3 and algorithm 1 with neither churn nor correction; for a flow Lipman et
/// al. 2023). `x` is noisy at the sigma of the first step; returns x at that of the last, which is D exactly where that
/// is 0.
template <Vec T, Denoiser<T> D, OnStep F>
T euler(D&& denoise, T x, const SamplerContext& context, F&& on_step) {
  for (int i = context.first; i < context.stop(); ++i) {
    x = euler_step<T>(x, denoise(x, context.at(i)), context.at(i), context.at(i + 1));
    on_step(i + 1, context.steps());
  }
  return x;
}

/// Heun's method (Karras et al. 2022, algorithm 1): the mean of the slopes at both ends; Euler's on a step to 0.
template <Vec T, Denoiser<T> D, OnStep F>
T heun(D&& denoise, T x, const SamplerContext& context, F&& on_step) {
  for (int i = context.first; i < context.stop(); ++i) {
    const double sigma = context.at(i);
    const double next = context.at(i + 1);
    const T x0 = denoise(x, sigma);
    const T trial = euler_step<T>(x, x0, sigma, next);
    if (next == 0) {
      x = trial;
    } else {
      const T end = slope<T>(trial, denoise(trial, next), next);
      x = x + (0.5 * (next - sigma)) * (slope<T>(x, x0, sigma) + end);
    }
    on_step(i + 1, context.steps());
  }
  return x;
}

/// The slope at the geometric mean of both ends (k-diffusion's sample_dpm_2, after Lu et al. 2022, "DPM-Solver",
/// algorithm 1, and Karras et al. 2022); Euler's on a step to 0.
template <Vec T, Denoiser<T> D, OnStep F>
T dpm2(D&& denoise, T x, const SamplerContext& context, F&& on_step) {
  for (int i = context.first; i < context.stop(); ++i) {
    const double sigma = context.at(i);
    const double next = context.at(i + 1);
    const T x0 = denoise(x, sigma);
    if (next == 0) {
      x = x0;
    } else {
      const double middle = std::sqrt(sigma * next);
      const T half = euler_step<T>(x, x0, sigma, middle);
      x = x + (next - sigma) * slope<T>(half, denoise(half, middle), middle);
    }
    on_step(i + 1, context.steps());
  }
  return x;
}

/// Song et al. 2021, "Denoising Diffusion Implicit Models", eq. 12 with its eta, on either path; with eta 1 the chain
/// of Ho et al. 2020 with the smaller of its two variances (ddpm).
template <Vec T, Denoiser<T> D, NoiseSource<T> N, OnStep F>
T ddim(D&& denoise, T x, const SamplerContext& context, N&& noise, F&& on_step) {
  for (int i = context.first; i < context.stop(); ++i) {
    const double sigma = context.at(i);
    const double next = context.at(i + 1);
    const T x0 = denoise(x, sigma);
    if (context.eta > 0 && next > 0) {
      const Renoising to = renoising(context.path, sigma, next, context.eta);
      x = to.keep * x + to.take * x0 + to.noise * noise();
    } else {
      x = euler_step<T>(x, x0, sigma, next);
    }
    on_step(i + 1, context.steps());
  }
  return x;
}

/// Multistep consistency sampling: the clean value with fresh noise (Luo et al. 2023, "Latent Consistency Models",
/// algorithm 3 with D as the consistency function: its boundary conditions differ from D by less than 1e-5 at any
/// trained time).
template <Vec T, Denoiser<T> D, NoiseSource<T> N, OnStep F>
T lcm(D&& denoise, T x, const SamplerContext& context, N&& noise, F&& on_step) {
  for (int i = context.first; i < context.stop(); ++i) {
    const double next = context.at(i + 1);
    x = denoise(x, context.at(i));
    if (next > 0) x = alpha_of(context.path, next) * x + next * noise();
    on_step(i + 1, context.steps());
  }
  return x;
}

/// Strategic stochastic sampling (Zheng et al. 2024, "Trajectory Consistency Distillation", algorithm 4): past the next
/// time t' to (1 - gamma) t', then noised up to t'; context.eta is the paper's gamma.
template <Vec T, Denoiser<T> D, NoiseSource<T> N, OnStep F>
T tcd(D&& denoise, T x, const SamplerContext& context, N&& noise, F&& on_step) {
  assert(context.times != nullptr && context.path == Path::variance_exploding);
  for (int i = context.first; i < context.stop(); ++i) {
    const double sigma = context.at(i);
    const double next = context.at(i + 1);
    const T x0 = denoise(x, sigma);
    if (context.eta > 0 && next > 0) {
      constexpr double rounding = 1e-6;  // of a whole time that comes back from its sigma
      const double time = std::floor((1 - context.eta) * context.times->time_of(next) + rounding);
      const double past = std::min(next, context.times->sigma_of(time));
      x = euler_step<T>(x, x0, sigma, past) + std::sqrt(next * next - past * past) * noise();
    } else {
      x = euler_step<T>(x, x0, sigma, next);
    }
    on_step(i + 1, context.steps());
  }
  return x;
}

}  // namespace lapis::core
