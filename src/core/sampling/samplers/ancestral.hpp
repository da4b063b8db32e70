// Samplers that step below the next sigma and draw noise to come back up.
#pragma once

#include "core/sampling/samplers/sampler_context.hpp"

namespace lapis::core {

/// The sigma an ancestral step goes down to, and what then brings it up to the next: x' = keep x + noise n.
struct AncestralStep {
  double down;
  double keep;
  double noise;
};

/// On the variance-exploding path k-diffusion's get_ancestral_step. On the flow path down = s' (1 + (s'/s - 1) eta), as
/// ComfyUI's sample_euler_ancestral_RF and LTXEulerAncestralRFScheduler of diffusers 0.42 have it.
inline AncestralStep ancestral_step(const SamplerContext& context, double sigma, double next) {
  if (context.path == Path::flow) {
    const double down = next * (1 + (next / sigma - 1) * context.eta);
    const double keep = (1 - next) / (1 - down);
    return {down, keep, std::sqrt(std::max(0.0, next * next - down * down * keep * keep))};
  }
  const Renoising to = renoising(context.path, sigma, next, context.eta);
  return {std::sqrt(next * next - to.noise * to.noise), 1, to.noise};
}

/// x after its step down, brought up to the next sigma.
template <Vec T, NoiseSource<T> N>
T renoise(const T& x, const SamplerContext& context, const AncestralStep& step, double next, N& noise) {
  if (next == 0 || !(context.eta > 0)) return x;
  return step.keep * x + step.noise * noise();
}

/// Euler's step down, then noise (k-diffusion's sample_euler_ancestral; EulerAncestralDiscreteScheduler).
template <Vec T, Denoiser<T> D, NoiseSource<T> N, OnStep F>
T euler_a(D&& denoise, T x, const SamplerContext& context, N&& noise, F&& on_step) {
  for (int i = context.first; i < context.stop(); ++i) {
    const double sigma = context.at(i);
    const double next = context.at(i + 1);
    const AncestralStep to = ancestral_step(context, sigma, next);
    x = renoise<T>(euler_step<T>(x, denoise(x, sigma), sigma, to.down), context, to, next, noise);
    on_step(i + 1, context.steps());
  }
  return x;
}

/// dpm2's step down, then noise (k-diffusion's sample_dpm_2_ancestral; for a flow ComfyUI's _RF variant).
template <Vec T, Denoiser<T> D, NoiseSource<T> N, OnStep F>
T dpm2_a(D&& denoise, T x, const SamplerContext& context, N&& noise, F&& on_step) {
  for (int i = context.first; i < context.stop(); ++i) {
    const double sigma = context.at(i);
    const double next = context.at(i + 1);
    const AncestralStep to = ancestral_step(context, sigma, next);
    const T x0 = denoise(x, sigma);
    if (to.down == 0) {
      x = x0;
    } else {
      const double middle = std::sqrt(sigma * to.down);
      const T half = euler_step<T>(x, x0, sigma, middle);
      x = x + (to.down - sigma) * slope<T>(half, denoise(half, middle), middle);
    }
    x = renoise<T>(x, context, to, next, noise);
    on_step(i + 1, context.steps());
  }
  return x;
}

/// DPM-Solver++(2S) (Lu et al. 2022, "DPM-Solver++", algorithm 1 with r 1/2) down, then noise (k-diffusion's
/// sample_dpmpp_2s_ancestral; for a flow ComfyUI's _RF variant).
template <Vec T, Denoiser<T> D, NoiseSource<T> N, OnStep F>
T dpmpp_2s_a(D&& denoise, T x, const SamplerContext& context, N&& noise, F&& on_step) {
  for (int i = context.first; i < context.stop(); ++i) {
    const double sigma = context.at(i);
    const double next = context.at(i + 1);
    const AncestralStep to = ancestral_step(context, sigma, next);
    T x0 = denoise(x, sigma);
    if (to.down > 0) {
      const double middle =
          sigma == 1 && context.path == Path::flow ? 0.9999 : sigma_between(context.path, sigma, to.down);
      x0 = denoise(euler_step<T>(x, x0, sigma, middle), middle);
    }
    x = renoise<T>(euler_step<T>(x, x0, sigma, to.down), context, to, next, noise);
    on_step(i + 1, context.steps());
  }
  return x;
}

/// Stochastic DPM-Solver++ with two stages (k-diffusion's sample_dpmpp_sde with r 1/2). Both stages of a step see one
/// Brownian path in the ratio sigma / alpha, as k-diffusion's BrownianTreeNoiseSampler has it: the first draw is its
/// way to the middle, the second the way from there, and the whole step's noise is their weighted sum.
template <Vec T, Denoiser<T> D, NoiseSource<T> N, OnStep F>
T dpmpp_sde(D&& denoise, T x, const SamplerContext& context, N&& noise, F&& on_step) {
  for (int i = context.first; i < context.stop(); ++i) {
    const double sigma = context.at(i);
    const double next = context.at(i + 1);
    const T x0 = denoise(x, sigma);
    if (next == 0) {
      x = x0;
    } else {
      const double begin = context.path == Path::flow ? std::min(sigma, 0.9999) : sigma;
      const double middle = sigma_between(context.path, sigma, next);
      const Renoising half = renoising(context.path, begin, middle, context.eta);
      const Renoising whole = renoising(context.path, begin, next, context.eta);
      T there = half.keep * x + half.take * x0;
      if (!(context.eta > 0)) {
        x = whole.keep * x + whole.take * T(denoise(there, middle));
      } else {
        const T first = noise();
        const double from = ratio_of(context.path, begin);
        const double share = (from - ratio_of(context.path, middle)) / (from - ratio_of(context.path, next));
        const T both = std::sqrt(share) * first + std::sqrt(1 - share) * noise();
        there = there + half.noise * first;
        x = whole.keep * x + whole.take * T(denoise(there, middle)) + whole.noise * both;
      }
    }
    on_step(i + 1, context.steps());
  }
  return x;
}

}  // namespace lapis::core
