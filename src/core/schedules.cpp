#include "core/schedules.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>

#include "core/suggest.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

/// torch.linspace in float32: from both ends towards the middle, each value with one rounding (a fused multiply-add).
std::vector<float> linspace(double first, double last, int count) {
  const auto begin = static_cast<float>(first);
  const auto end = static_cast<float>(last);
  std::vector<float> values(static_cast<std::size_t>(count), begin);
  if (count == 1) return values;
  const float step = (end - begin) / static_cast<float>(count - 1);
  for (int i = 0; i < count; ++i) {
    const auto from_end = static_cast<float>(count - 1 - i);
    values[static_cast<std::size_t>(i)] =
        i < count / 2 ? std::fma(step, static_cast<float>(i), begin) : std::fma(-step, from_end, end);
  }
  return values;
}

std::vector<float> training_betas(const SamplingFacts& facts) {
  switch (facts.beta_curve) {
    case BetaCurve::linear: return linspace(facts.beta_start, facts.beta_end, facts.train_steps);
    case BetaCurve::scaled_linear: {
      std::vector<float> betas = linspace(std::sqrt(facts.beta_start), std::sqrt(facts.beta_end), facts.train_steps);
      for (float& beta : betas) beta *= beta;
      return betas;
    }
  }
  throw Error(ErrorKind::internal, "unknown beta curve");
}

std::vector<double> leading_timesteps(const SamplingFacts& facts, int steps) {
  const int stride = facts.train_steps / steps;
  std::vector<double> timesteps;
  for (int i = steps - 1; i >= 0; --i) timesteps.push_back(i * stride + facts.steps_offset);
  return timesteps;
}

std::vector<double> linspace_timesteps(const SamplingFacts& facts, int steps) {
  const double last = facts.train_steps - 1;
  std::vector<double> timesteps;
  for (int i = steps - 1; i >= 0; --i) {
    // numpy.linspace sets the end itself, and the timesteps are float32.
    const double time = i > 0 && i == steps - 1 ? last : i * (last / std::max(steps - 1, 1));
    timesteps.push_back(static_cast<float>(time));
  }
  return timesteps;
}

std::vector<double> trailing_timesteps(const SamplingFacts& facts, int steps) {
  const double first = facts.train_steps;
  // numpy.arange steps by the difference of its first two values, which is not quite the one asked for.
  const double stride = (first - first / steps) - first;
  std::vector<double> timesteps;
  for (int i = 0; i < steps; ++i) timesteps.push_back(std::nearbyint(first + i * stride) - 1);
  return timesteps;
}

std::vector<double> spaced_timesteps(const SamplingFacts& facts, Spacing spacing, int steps) {
  switch (spacing) {
    case Spacing::leading: return leading_timesteps(facts, steps);
    case Spacing::linspace: return linspace_timesteps(facts, steps);
    case Spacing::trailing: return trailing_timesteps(facts, steps);
  }
  throw Error(ErrorKind::internal, "unknown spacing");
}

/// `sigmas` at a time between its indices, held constant beyond both ends.
double interpolate(const std::vector<double>& sigmas, double time) {
  const double clamped = std::clamp(time, 0.0, static_cast<double>(sigmas.size() - 1));
  const auto below = static_cast<std::size_t>(clamped);
  const std::size_t above = std::min(below + 1, sigmas.size() - 1);
  return sigmas[below] + (sigmas[above] - sigmas[below]) * (clamped - static_cast<double>(below));
}

}  // namespace

std::span<const SpacingRow> spacings() {
  // clang-format off
  static const std::array<SpacingRow, 3> rows = {{
      {Spacing::leading,  "leading",  "every n-th training step from the first one on (SD1.5's own)"},
      {Spacing::linspace, "linspace", "evenly from the last training step to the first, both included"},
      {Spacing::trailing, "trailing", "every n-th training step down from the last one (best for few steps)"},
  }};
  // clang-format on
  return rows;
}

const std::string& spacing_name(Spacing spacing) {
  const auto found = std::find_if(spacings().begin(), spacings().end(),
                                  [spacing](const SpacingRow& row) { return row.spacing == spacing; });
  assert(found != spacings().end());
  return found->name;
}

Spacing find_spacing(std::string_view name) {
  std::vector<std::string> names;
  for (const SpacingRow& row : spacings()) {
    if (row.name == name) return row.spacing;
    names.push_back(row.name);
  }
  throw Error(ErrorKind::usage, "unknown spacing \"" + std::string(name) + "\"; there are " + listed(names) + "." +
                                    did_you_mean(name, names));
}

std::vector<double> training_sigmas(const SamplingFacts& facts) {
  assert(facts.train_steps >= 1);
  std::vector<double> sigmas;
  sigmas.reserve(static_cast<std::size_t>(facts.train_steps));
  double product = 1;  // torch.cumprod carries a double and rounds what it stores
  for (const float beta : training_betas(facts)) {
    product *= 1.0F - beta;
    const auto alpha_bar = static_cast<float>(product);
    sigmas.push_back(std::sqrt((1.0F - alpha_bar) / alpha_bar));
  }
  return sigmas;
}

Schedule make_schedule(const SamplingFacts& facts, Spacing spacing, int steps) {
  assert(steps >= 1 && steps <= facts.train_steps);
  const std::vector<double> trained = training_sigmas(facts);
  Schedule schedule;
  schedule.timesteps = spaced_timesteps(facts, spacing, steps);
  for (const double time : schedule.timesteps) schedule.sigmas.push_back(interpolate(trained, time));
  const double largest = *std::max_element(schedule.sigmas.begin(), schedule.sigmas.end());
  schedule.initial_noise = spacing == Spacing::leading ? std::sqrt(largest * largest + 1) : largest;
  schedule.sigmas.push_back(0);
  return schedule;
}

}  // namespace lapis::core
