#include "core/sampling/schedules.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <numbers>

#include "core/text/choice.hpp"
#include "core/text/names.hpp"
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

/// betas_for_alpha_bar of diffusers.
std::vector<float> cosine_betas(int steps) {
  constexpr double most = 0.999;
  const auto left = [steps](int step) {
    const double root = std::cos((static_cast<double>(step) / steps + 0.008) / 1.008 * std::numbers::pi / 2);
    return root * root;
  };
  std::vector<float> betas;
  for (int i = 0; i < steps; ++i) betas.push_back(static_cast<float>(std::min(1 - left(i + 1) / left(i), most)));
  return betas;
}

std::vector<float> training_betas(const SamplingFacts& facts) {
  switch (facts.beta_curve) {
    case BetaCurve::linear: return linspace(facts.beta_start, facts.beta_end, facts.train_steps);
    case BetaCurve::scaled_linear: {
      std::vector<float> betas = linspace(std::sqrt(facts.beta_start), std::sqrt(facts.beta_end), facts.train_steps);
      for (float& beta : betas) beta *= beta;
      return betas;
    }
    case BetaCurve::cosine: return cosine_betas(facts.train_steps);
  }
  throw Error(ErrorKind::internal, "unknown beta curve");
}

/// What is left of the signal's variance after each step.
std::vector<float> products_of(const std::vector<float>& betas) {
  std::vector<float> products;
  double product = 1;  // torch.cumprod carries a double and rounds what it stores
  for (const float beta : betas) {
    product *= 1.0F - beta;
    products.push_back(static_cast<float>(product));
  }
  return products;
}

/// Betas of zero terminal SNR (Lin et al. 2024, algorithm 1), in the order in which diffusers rounds.
std::vector<float> rescaled_betas(const std::vector<float>& betas) {
  std::vector<float> left = products_of(betas);
  for (float& product : left) product = std::sqrt(product);
  const float first = left.front();
  const float last = left.back();
  const float stretch = first / (first - last);
  for (float& root : left) {
    root = (root - last) * stretch;
    root *= root;
  }
  std::vector<float> rescaled{1.0F - left.front()};
  for (std::size_t i = 1; i < left.size(); ++i) rescaled.push_back(1.0F - left[i] / left[i - 1]);
  return rescaled;
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

std::span<const BetaCurveRow> beta_curves() {
  static const std::array<BetaCurveRow, 3> rows = {{
      {BetaCurve::linear, "linear", "linear"},
      {BetaCurve::scaled_linear, "scaled_linear", "scaled_linear"},
      {BetaCurve::cosine, "cosine", "squaredcos_cap_v2"},
  }};
  return rows;
}

const BetaCurveRow& beta_curve_row(BetaCurve curve) {
  return *std::find_if(beta_curves().begin(), beta_curves().end(),
                       [curve](const BetaCurveRow& row) { return row.curve == curve; });
}

const std::string& spacing_name(Spacing spacing) {
  const auto found = std::find_if(spacings().begin(), spacings().end(),
                                  [spacing](const SpacingRow& row) { return row.spacing == spacing; });
  assert(found != spacings().end());
  return found->name;
}

Spacing find_spacing(std::string_view name) { return row_named(field_name("spacing"), name, spacings()).spacing; }

std::vector<double> training_sigmas(const SamplingFacts& facts) {
  assert(facts.train_steps >= 1);
  std::vector<float> betas = training_betas(facts);
  if (facts.zero_snr) betas = rescaled_betas(betas);
  std::vector<float> products = products_of(betas);
  if (facts.zero_snr) products.back() = 0x1p-24F;
  std::vector<double> sigmas;
  for (const float product : products) sigmas.push_back(std::sqrt((1.0F - product) / product));
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
