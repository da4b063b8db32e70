// The walk of any row of the table of samplers.
#pragma once

#include <utility>
#include <vector>

#include "core/sampling/samplers.hpp"
#include "core/sampling/samplers/ancestral.hpp"
#include "core/sampling/samplers/multistep.hpp"
#include "core/sampling/samplers/one_step.hpp"
#include "core/sampling/samplers/sampler_context.hpp"
#include "core/sampling/samplers/unipc.hpp"
#include "lapis/error.hpp"

namespace lapis::core {

/// Sigmas without their repeats.
struct DistinctSigmas {
  std::vector<double> sigmas;
  std::vector<int> ends;  ///< of each, the last of its places among those that were given

  explicit DistinctSigmas(std::span<const double> given) {
    for (std::size_t i = 0; i < given.size(); ++i) {
      if (i == 0 || given[i] != given[i - 1]) {
        sigmas.push_back(given[i]);
        ends.push_back(0);
      }
      ends.back() = static_cast<int>(i);
    }
  }

  /// Which of them stands at a place among the given.
  int at(int place) const { return static_cast<int>(std::lower_bound(ends.begin(), ends.end(), place) - ends.begin()); }
};

/// The walk of `sampler` from x, noisy at the sigma of the context's first step, to x at that of its last; `memory` is
/// what it remembers of the steps before, and then of those it walked. Of equal neighbours among the sigmas all but one
/// are counted as steps and passed over: nothing happens there, and a multistep method would divide by their distance.
/// `context.path` must be one the row walks. Throws Error{usage} for a memory that no walk of the sampler can have.
template <Vec T, Denoiser<T> D, NoiseSource<T> N, OnStep F>
T sample(Sampler sampler, D&& denoise, T x, SamplerContext context, Memory<T>& memory, N&& noise, F&& on_step) {
  assert(context.sigmas.size() >= 2 && context.first >= 0 && context.first <= context.stop());
  const DistinctSigmas distinct(context.sigmas);
  const int all = context.steps();
  const int stop = context.stop();
  const auto count = [&](int done, int) {
    on_step(std::min(distinct.ends[static_cast<std::size_t>(done)], stop), all);
  };
  context.sigmas = distinct.sigmas;
  context.first = distinct.at(context.first);
  context.last = distinct.at(stop);
  check_memory(sampler_row(sampler), context.first, memory.size());
  switch (sampler) {
    case Sampler::euler: return euler(denoise, std::move(x), context, count);
    case Sampler::euler_a: return euler_a(denoise, std::move(x), context, noise, count);
    case Sampler::heun: return heun(denoise, std::move(x), context, count);
    case Sampler::dpm2: return dpm2(denoise, std::move(x), context, count);
    case Sampler::dpm2_a: return dpm2_a(denoise, std::move(x), context, noise, count);
    case Sampler::lms: return lms(denoise, std::move(x), context, memory, count);
    case Sampler::ddim: return ddim(denoise, std::move(x), context, noise, count);
    case Sampler::ddpm: context.eta = 1; return ddim(denoise, std::move(x), context, noise, count);
    case Sampler::pndm: return pndm(denoise, std::move(x), context, memory, count);
    case Sampler::dpmpp_2m: return dpmpp_2m(denoise, std::move(x), context, memory, count);
    case Sampler::dpmpp_2m_sde: return dpmpp_2m_sde(denoise, std::move(x), context, memory, noise, count);
    case Sampler::dpmpp_2s_a: return dpmpp_2s_a(denoise, std::move(x), context, noise, count);
    case Sampler::dpmpp_sde: return dpmpp_sde(denoise, std::move(x), context, noise, count);
    case Sampler::dpmpp_3m_sde: return dpmpp_3m_sde(denoise, std::move(x), context, memory, noise, count);
    case Sampler::unipc: return unipc(denoise, std::move(x), context, memory, count);
    case Sampler::deis: return deis(denoise, std::move(x), context, memory, count);
    case Sampler::ipndm: return ipndm(denoise, std::move(x), context, memory, count);
    case Sampler::lcm: return lcm(denoise, std::move(x), context, noise, count);
    case Sampler::tcd: return tcd(denoise, std::move(x), context, noise, count);
  }
  throw Error(ErrorKind::internal, "unknown sampler");
}

/// `sample` for a walk from its first step to its last: what it remembers is not kept.
template <Vec T, Denoiser<T> D, NoiseSource<T> N, OnStep F>
T sample(Sampler sampler, D&& denoise, T x, const SamplerContext& context, N&& noise, F&& on_step) {
  Memory<T> memory;
  return sample(sampler, denoise, std::move(x), context, memory, noise, on_step);
}

}  // namespace lapis::core
