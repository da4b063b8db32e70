// Walks from noise to a picture's latent, written once for every kind of value.
#pragma once

#include <cassert>
#include <concepts>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lapis/error.hpp"

namespace lapis::core {

/// What a sampler walks with: a number, an array, a tensor.
template <typename T>
concept Vec = std::copyable<T> && requires(const T& a, double k) {
  { a + a } -> std::convertible_to<T>;
  { k* a } -> std::convertible_to<T>;
};

/// D(x, sigma) -> x0: the clean value expected behind x = x0 + sigma * n. What a network predicts (epsilon, v) is the
/// denoiser's own affair.
template <typename D, typename T>
concept Denoiser = requires(D denoise, const T& x, double sigma) {
  { denoise(x, sigma) } -> std::convertible_to<T>;
};

/// Called after each step with the steps done and the steps in all. What it returns is not looked at; what it throws
/// ends the walk.
template <typename F>
concept OnStep = std::invocable<F&, int, int>;

enum class Sampler { euler };

/// One row a sampler.
struct SamplerRow {
  Sampler sampler;
  std::string name;                  ///< on the command line, in model.json and in provenance
  std::string label;                 ///< in A1111's text
  std::vector<std::string> aliases;  ///< what other tools call it
  int order;                         ///< of convergence: halving the steps' size divides the error by 2^order
  bool uses_noise;                   ///< draws noise on the way
};

std::span<const SamplerRow> samplers();

/// The sampler of this name, label or alias; ASCII case is ignored. Throws Error{usage} with the names there are.
const SamplerRow& find_sampler(std::string_view name);

/// Euler's method on dx/dsigma = (x - D(x, sigma)) / sigma (Karras et al. 2022, "Elucidating the Design Space of
/// Diffusion-Based Generative Models", eq. 3 and algorithm 1 with neither churn nor correction; the same as DDIM, Song
/// et al. 2021, with eta 0). A step is x' = r x + (1 - r) D with r = sigma' / sigma, which ends in D exactly at 0.
/// `x` is noisy at sigmas[0]; `sigmas` falls, and only its last value may be 0. Returns x at the last sigma.
template <Vec T, Denoiser<T> D, OnStep F>
T euler(D&& denoise, T x, std::span<const double> sigmas, F&& on_step) {
  assert(sigmas.size() >= 2);
  const int all = static_cast<int>(sigmas.size()) - 1;
  for (int i = 0; i < all; ++i) {
    const double sigma = sigmas[static_cast<std::size_t>(i)];
    const double ratio = sigmas[static_cast<std::size_t>(i) + 1] / sigma;
    x = ratio * x + (1 - ratio) * denoise(x, sigma);
    on_step(i + 1, all);
  }
  return x;
}

/// The walk of any row of the table.
template <Vec T, Denoiser<T> D, OnStep F>
T sample(Sampler sampler, D&& denoise, T x, std::span<const double> sigmas, F&& on_step) {
  switch (sampler) {
    case Sampler::euler: return euler(std::forward<D>(denoise), std::move(x), sigmas, std::forward<F>(on_step));
  }
  throw Error(ErrorKind::internal, "unknown sampler");
}

}  // namespace lapis::core
