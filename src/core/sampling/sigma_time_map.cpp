#include "core/sampling/sigma_time_map.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>

#include "core/sampling/schedules.hpp"

namespace lapis::core {

SigmaTimeMap::SigmaTimeMap(const SamplingFacts& facts) : path_(path_of(facts.prediction)), steps_(facts.train_steps) {
  if (path_ == Path::flow) return;
  log_sigmas_ = training_sigmas(facts);
  for (double& sigma : log_sigmas_) sigma = std::log(sigma);
}

double SigmaTimeMap::time_of(double sigma) const {
  assert(sigma > 0);
  if (path_ == Path::flow) return sigma * steps_;
  const double wanted = std::log(sigma);
  const auto above = std::upper_bound(log_sigmas_.begin(), log_sigmas_.end(), wanted);
  if (above == log_sigmas_.begin()) return 0;
  if (above == log_sigmas_.end()) return steps_ - 1;
  const auto below = above - 1;
  return static_cast<double>(below - log_sigmas_.begin()) + (wanted - *below) / (*above - *below);
}

double SigmaTimeMap::sigma_of(double time) const {
  if (path_ == Path::flow) return std::clamp(time / steps_, 0.0, 1.0);
  const double clamped = std::clamp(time, 0.0, steps_ - 1);
  const auto below = static_cast<std::size_t>(clamped);
  const std::size_t above = std::min(below + 1, log_sigmas_.size() - 1);
  const double part = clamped - static_cast<double>(below);
  return std::exp((1 - part) * log_sigmas_[below] + part * log_sigmas_[above]);
}

double SigmaTimeMap::smallest() const { return path_ == Path::flow ? 1 / steps_ : std::exp(log_sigmas_.front()); }

double SigmaTimeMap::largest() const { return path_ == Path::flow ? 1 : std::exp(log_sigmas_.back()); }

}  // namespace lapis::core
