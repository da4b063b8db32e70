// The walk of any row of the table of samplers.
#pragma once

#include <utility>
#include <vector>

#include "core/samplers.hpp"
#include "core/samplers/ancestral.hpp"
#include "core/samplers/multistep.hpp"
#include "core/samplers/one_step.hpp"
#include "core/samplers/unipc.hpp"
#include "core/samplers/walk.hpp"
#include "lapis/error.hpp"

namespace lapis::core {

/// The walk of `sampler` from x, noisy at the first sigma, to x at the last. Of equal neighbours among the sigmas all
/// but one are counted as steps and passed over: nothing happens there, and a multistep method would divide by their
/// distance. `course.path` must be one the row walks.
template <Vec T, Denoiser<T> D, NoiseSource<T> N, OnStep F>
T sample(Sampler sampler, D&& denoise, T x, Course course, N&& noise, F&& on_step) {
  assert(course.sigmas.size() >= 2);
  std::vector<double> distinct(course.sigmas.begin(), course.sigmas.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  const int passed = static_cast<int>(course.sigmas.size() - distinct.size());
  course.sigmas = distinct;
  const auto count = [&](int done, int all) { on_step(done + passed, all + passed); };
  switch (sampler) {
    case Sampler::euler: return euler(denoise, std::move(x), course, count);
    case Sampler::euler_a: return euler_a(denoise, std::move(x), course, noise, count);
    case Sampler::heun: return heun(denoise, std::move(x), course, count);
    case Sampler::dpm2: return dpm2(denoise, std::move(x), course, count);
    case Sampler::dpm2_a: return dpm2_a(denoise, std::move(x), course, noise, count);
    case Sampler::lms: return lms(denoise, std::move(x), course, count);
    case Sampler::ddim: return ddim(denoise, std::move(x), course, noise, count);
    case Sampler::ddpm: course.eta = 1; return ddim(denoise, std::move(x), course, noise, count);
    case Sampler::pndm: return pndm(denoise, std::move(x), course, count);
    case Sampler::dpmpp_2m: return dpmpp_2m(denoise, std::move(x), course, count);
    case Sampler::dpmpp_2m_sde: return dpmpp_2m_sde(denoise, std::move(x), course, noise, count);
    case Sampler::dpmpp_2s_a: return dpmpp_2s_a(denoise, std::move(x), course, noise, count);
    case Sampler::dpmpp_sde: return dpmpp_sde(denoise, std::move(x), course, noise, count);
    case Sampler::dpmpp_3m_sde: return dpmpp_3m_sde(denoise, std::move(x), course, noise, count);
    case Sampler::unipc: return unipc(denoise, std::move(x), course, count);
    case Sampler::deis: return deis(denoise, std::move(x), course, count);
    case Sampler::ipndm: return ipndm(denoise, std::move(x), course, count);
    case Sampler::lcm: return lcm(denoise, std::move(x), course, noise, count);
    case Sampler::tcd: return tcd(denoise, std::move(x), course, noise, count);
  }
  throw Error(ErrorKind::internal, "unknown sampler");
}

}  // namespace lapis::core
