// The unified predictor-corrector.
#pragma once

#include <span>

#include "core/sampling/samplers/multistep.hpp"
#include "core/sampling/samplers/sampler_context.hpp"

namespace lapis::core {

/// What the corrector makes of a step's beginning `x` once the answer `x0` at its end is known; `before` are the
/// answers at its beginning and, for the second order, at the beginning of the step before, the newest first.
template <Vec T>
T corrected(const T& x, const T& x0, std::span<const T> before, const SamplerContext& context, int i) {
  T ahead = before[0] + 0.5 * (x0 - before[0]);
  if (before.size() > 1) {
    const double h = lambda_step(context, i);
    const double back = -lambda_step(context, i - 1) / h;
    const double phi_1 = std::expm1(-h);
    const double phi_2 = -phi_1 / h - 1;
    const double phi_3 = -phi_2 / h - 0.5;
    const double older = (phi_2 - 2 * phi_3) / phi_1 / (1 - back);
    const double newer = phi_2 / phi_1 - older;
    ahead = before[0] + (older / back) * (before[1] - before[0]) + newer * (x0 - before[0]);
  }
  return euler_step<T>(x, ahead, context.at(i), context.at(i + 1));
}

/// The sigmas of a run, of which a flow's 1, noise alone, counts as 1 - 1e-6: the length of its step in lambda,
/// which the second order divides by, is finite then. UniPCMultistepScheduler has the same number.
inline std::vector<double> solvable_sigmas(const SamplerContext& context) {
  std::vector<double> sigmas(context.sigmas.begin(), context.sigmas.end());
  if (context.path == Path::flow) sigmas.front() = std::min(sigmas.front(), 1 - 1e-6);
  return sigmas;
}

/// UniPC of order 2 on predicted clean values with B(h) = e^h - 1 (Zhao et al. 2023, "UniPC: A Unified
/// Predictor-Corrector Framework for Fast Sampling of Diffusion Models", bh2; UniPCMultistepScheduler). The corrector
/// reuses the evaluation of the next step. The first and the last step are of the first order.
///
/// Remembered are x at the last step's beginning and, behind it, the answers there, the newest first, as many as that
/// step had order.
template <Vec T, Denoiser<T> D, OnStep F>
T unipc(D&& denoise, T x, const SamplerContext& context, Memory<T>& memory, F&& on_step) {
  const std::vector<double> sigmas = solvable_sigmas(context);
  const SamplerContext solvable{sigmas, context.path};
  for (int i = context.first; i < context.stop(); ++i) {
    const std::span<const T> before = std::span<const T>(memory).subspan(memory.empty() ? 0 : 1);
    const T x0 = denoise(x, context.at(i));
    if (!before.empty()) x = corrected<T>(memory[0], x0, before, solvable, i - 1);
    T ahead = x0;
    const bool second = !before.empty() && i + 1 < context.steps();
    if (second) ahead = x0 + (lambda_step(solvable, i) / lambda_step(solvable, i - 1) / 2) * (x0 - before[0]);
    memory = second ? Memory<T>{x, x0, before[0]} : Memory<T>{x, x0};
    x = euler_step<T>(x, ahead, solvable.at(i), solvable.at(i + 1));
    on_step(i + 1, context.steps());
  }
  return x;
}

}  // namespace lapis::core
