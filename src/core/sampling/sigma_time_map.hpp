// The times a network knows noise levels by.
#pragma once

#include <vector>

#include "lapis/sampling.hpp"

namespace lapis::core {

/// Maps a noise level to the time a network was trained to know it by, and back. On the variance-exploding path a time
/// is an index of the training sigmas, and between two of them the logarithm of sigma runs straight (as in
/// k-diffusion's DiscreteSchedule and the _sigma_to_t of diffusers 0.42); beyond both ends it stays. On the flow path a
/// time is sigma times the training steps.
class SigmaTimeMap {
 public:
  explicit SigmaTimeMap(const SamplingFacts& facts);

  /// The time of a sigma above 0, exact at every training sigma.
  double time_of(double sigma) const;

  /// The sigma of a time in [0, train_steps - 1], or [0, train_steps] for a flow; others count as the nearest of these.
  double sigma_of(double time) const;

  /// The sigmas of the first and of the last training step.
  double smallest() const;
  double largest() const;

 private:
  Path path_;
  double steps_;
  std::vector<double> log_sigmas_;  ///< rising; empty for a flow
};

}  // namespace lapis::core
