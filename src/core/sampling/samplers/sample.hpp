// The run of any row of the table of samplers.
#pragma once

#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/sampling/sampler_table.hpp"
#include "core/sampling/samplers.hpp"
#include "core/sampling/samplers/sampler_context.hpp"
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

/// The run of a row of `samplers` from x, noisy at the sigma of the context's first step, to x at that of its last;
/// `memory` is what it remembers of the steps before, and then of those it did. Of equal neighbours among the sigmas
/// all but one are counted as steps and passed over: nothing happens there, and a multistep method would divide by
/// their distance. `context.path` must be one the row supports. Throws Error{usage} for a memory that no run of the
/// sampler can have.
template <Vec T, Denoiser<T> D, NoiseSource<T> N, OnStep F>
T sample(const SamplerRow& row, D&& denoise, T x, SamplerContext context, Memory<T>& memory, N&& noise, F&& on_step) {
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
  check_memory(row, context.first, memory.size());
  Sampling<T, std::remove_reference_t<D>, std::remove_reference_t<N>, decltype(count)> sampling{
      denoise, std::move(x), context, memory, noise, count};
  std::optional<T> end;
  each_sampler([&](const SamplerRow& each, const auto& function) {
    if (each.name == row.name) end = function(sampling);
  });
  if (!end) throw Error(ErrorKind::internal, "no row of the table of samplers: " + row.name);
  return std::move(*end);
}

/// `sample` for a run from its first step to its last: what it remembers is not kept.
template <Vec T, Denoiser<T> D, NoiseSource<T> N, OnStep F>
T sample(const SamplerRow& row, D&& denoise, T x, const SamplerContext& context, N&& noise, F&& on_step) {
  Memory<T> memory;
  return sample(row, denoise, std::move(x), context, memory, noise, on_step);
}

}  // namespace lapis::core
