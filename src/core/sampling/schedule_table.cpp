#include "core/sampling/schedule_table.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>

#include "core/family/families.hpp"
#include "core/sampling/samplers.hpp"
#include "core/sampling/schedule_shapes.hpp"
#include "core/sampling/schedules.hpp"
#include "core/sampling/sigma_time_map.hpp"
#include "core/text/choice.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

using Values = std::vector<double>;

constexpr const char* any_path = "";
constexpr int lcm_steps = 50;  // the most of schedule lcm: it takes them from as many

/// Sigmas without the 0, and the times that define them; no times where the sigmas come first.
struct Levels {
  Values sigmas;
  Values times;
};

Levels levels_at(const SigmaTimeMap& scale, Values times) {
  Levels levels{{}, std::move(times)};
  for (const double time : levels.times) levels.sigmas.push_back(scale.sigma_of(time));
  return levels;
}

Values without_last(Values values) {
  values.pop_back();
  return values;
}

Values simple_times(int train_steps, int steps) {
  Values times;
  const double stride = static_cast<double>(train_steps) / steps;
  for (int i = 0; i < steps; ++i) times.push_back(train_steps - 1 - std::floor(i * stride));
  return times;
}

Values ddim_times(int train_steps, int steps) {
  Values times;
  const int stride = train_steps / steps;
  for (int i = steps - 1; i >= 0; --i) times.push_back(1 + i * stride);
  return times;
}

Values lcm_times(int train_steps, int steps) {
  Values times;
  const int stride = train_steps / lcm_steps;
  for (int i = 0; i < steps; ++i) {
    const int passed = i * lcm_steps / steps;
    times.push_back((lcm_steps - passed) * stride - 1);
  }
  return times;
}

Levels variance_exploding_levels(const Model& model, ScheduleKind kind, const ScheduleOptions& options, int steps) {
  const SigmaTimeMap scale(model.sampling);
  const SigmaRange range = {scale.smallest(), scale.largest()};
  const int trained = model.sampling.train_steps;
  switch (kind) {
    case ScheduleKind::own: {
      Schedule own = make_schedule(model.sampling, options.spacing, steps);
      return {without_last(own.sigmas), own.timesteps};
    }
    case ScheduleKind::normal: return levels_at(scale, evenly(trained - 1, 0, steps));
    case ScheduleKind::sgm_uniform: return levels_at(scale, without_last(evenly(trained - 1, 0, steps + 1)));
    case ScheduleKind::simple: return levels_at(scale, simple_times(trained, steps));
    case ScheduleKind::ddim_uniform: return levels_at(scale, ddim_times(trained, steps));
    case ScheduleKind::lcm: return levels_at(scale, lcm_times(trained, steps));
    case ScheduleKind::karras: return {karras_sigmas(range, steps), {}};
    case ScheduleKind::exponential: return {exponential_sigmas(range, steps), {}};
    case ScheduleKind::beta: return {beta_sigmas(range, steps), {}};
    case ScheduleKind::kl_optimal: return {kl_optimal_sigmas(range, steps), {}};
    case ScheduleKind::linear_quadratic: return {linear_quadratic_sigmas(range.largest, steps), {}};
    case ScheduleKind::ays: return {ays_sigmas(*find_ays_table(model.space.id), steps), {}};
    case ScheduleKind::by_hand: return {options.sigmas, {}};
  }
  throw Error(ErrorKind::internal, "unknown schedule");
}

Values shifted_all(Values sigmas, double shift) {
  for (double& sigma : sigmas) sigma = shifted(sigma, shift);
  return sigmas;
}

Values flow_sigmas(const Model& model, ScheduleKind kind, const ScheduleOptions& options, int steps) {
  const int trained = model.sampling.train_steps;
  const double smallest = 1.0 / trained;
  const double shift = options.shift;
  const SigmaRange own = {shifted(1.0 / steps, shift), 1};
  const auto of_times = [&](Values times) {
    for (double& time : times) time = (time + 1) / trained;
    return shifted_all(std::move(times), shift);
  };
  switch (kind) {
    case ScheduleKind::own: return shifted_all(evenly(1, 1.0 / steps, steps), shift);
    case ScheduleKind::normal: return shifted_all(evenly(1, smallest, steps), shift);
    case ScheduleKind::sgm_uniform: return shifted_all(without_last(evenly(1, smallest, steps + 1)), shift);
    case ScheduleKind::simple: return of_times(simple_times(trained, steps));
    case ScheduleKind::ddim_uniform: return of_times(ddim_times(trained, steps));
    case ScheduleKind::karras: return karras_sigmas(own, steps);
    case ScheduleKind::exponential: return exponential_sigmas(own, steps);
    case ScheduleKind::beta: return beta_sigmas(own, steps);
    case ScheduleKind::kl_optimal: return kl_optimal_sigmas({shifted(smallest, shift), 1}, steps);
    case ScheduleKind::linear_quadratic: return linear_quadratic_sigmas(1, steps);
    case ScheduleKind::by_hand: return options.sigmas;
    case ScheduleKind::ays:
    case ScheduleKind::lcm: break;
  }
  throw Error(ErrorKind::internal, "a schedule that a flow has not");
}

/// What keeps `row` from `model`, without what fits.
std::optional<std::string> misfit(const ScheduleRow& row, const Model& model, int steps) {
  const bool flow = path_of(model.sampling.prediction) == Path::flow;
  if (flow && !row.not_on_flow.empty()) return sentence("fits no flow model: {}", row.not_on_flow);
  if (row.kind == ScheduleKind::ays && find_ays_table(model.space.id) == nullptr) {
    return sentence("has no table for models of space {}", model.space.id);
  }
  if (row.kind == ScheduleKind::lcm && (steps > lcm_steps || model.sampling.train_steps < lcm_steps)) {
    return sentence("takes its steps from {} and cannot make {}", lcm_steps, steps);
  }
  return std::nullopt;
}

std::string names_for(const Model& model, int steps) {
  std::vector<std::string> names;
  for (const ScheduleRow& row : schedules()) {
    if (!misfit(row, model, steps)) names.push_back(row.name);
  }
  return listed(names);
}

}  // namespace

std::span<const ScheduleRow> schedules() {
  using K = ScheduleKind;
  constexpr const char* comfy = "ComfyUI's formula";
  constexpr const char* trained_times = "its times are those of a training with betas, which a flow has none of";
  constexpr const char* tables = "its tables were optimised for sd15 and sdxl";
  // clang-format off
  static const std::vector<ScheduleRow> rows = {
      // kind            name            label             aliases
      //   help
      //   why not on a flow, oracle
      {K::own,          "own",          "Automatic",      {"default"},
       "the model's own: its spacing of the training's times, or its shift of 1 to 1 / n",
       any_path, "diffusers"},
      {K::normal,       "normal",       "Normal",         {"uniform", "discrete"},
       "evenly in time over the whole training, both ends included",
       any_path, "k-diffusion, diffusers on flow"},
      {K::karras,       "karras",       "Karras",         {"use_karras_sigmas"},
       "evenly in the seventh root of sigma: more steps at little noise",
       any_path, "diffusers"},
      {K::exponential,  "exponential",  "Exponential",    {"use_exponential_sigmas"},
       "evenly in the logarithm of sigma",
       any_path, "diffusers"},
      {K::sgm_uniform,  "sgm_uniform",  "SGM Uniform",    {"sgm"},
       "evenly in time without the end: for few steps",
       any_path, "ComfyUI's formula, diffusers on flow"},
      {K::simple,       "simple",       "Simple",         {},
       "evenly over the training's sigmas, from the noisiest down",
       any_path, comfy},
      {K::ddim_uniform, "ddim_uniform", "DDIM",           {"ddim"},
       "evenly over the training's sigmas, from nearly the cleanest up",
       any_path, comfy},
      {K::beta,         "beta",         "Beta",           {"use_beta_sigmas"},
       "more steps at both ends of sigma, by quantiles of Beta(0.6, 0.6)",
       any_path, "diffusers"},
      {K::ays,          "ays",          "Align Your Steps", {"align_your_steps"},
       "a table optimised for the family, made for 10 steps",
       tables, "diffusers"},
      {K::kl_optimal,   "kl_optimal",   "KL Optimal",     {},
       "evenly in the arc tangent of sigma: optimal for a Gaussian",
       any_path, comfy},
      {K::linear_quadratic, "linear_quadratic", "Linear Quadratic", {},
       "half of the steps over the first 2.5 % of the way, then a parabola",
       any_path, "diffusers (Mochi)"},
      {K::lcm,          "lcm",          "LCM",            {"tcd"},
       "times of the 50 that LCM and TCD were distilled on; 50 steps at most",
       trained_times, "diffusers"},
      {K::by_hand,      "by_hand",      "By hand",        {},
       sentence("those of {sigmas}, and 0"),
       any_path, "diffusers"},
  };
  // clang-format on
  return rows;
}

std::vector<std::string> names_of(const ScheduleRow& row) {
  std::vector<std::string> names = {row.name, row.label};
  names.insert(names.end(), row.aliases.begin(), row.aliases.end());
  return names;
}

const ScheduleRow& find_schedule(std::string_view name, const std::string& what) {
  return row_called(what, name, schedules());
}

bool supports(const ScheduleRow& row, Path path, std::string_view space) {
  if (path == Path::flow && !row.not_on_flow.empty()) return false;
  return row.kind != ScheduleKind::ays || find_ays_table(space) != nullptr;
}

std::optional<std::string> schedule_problem(const ScheduleRow& row, const Model& model, int steps) {
  const std::optional<std::string> problem = misfit(row, model, steps);
  if (!problem) return std::nullopt;
  return sentence("schedule {} {}. For {} there are {}", row.name, *problem, model.name, names_for(model, steps));
}

double shifted(double sigma, double shift) { return shift * sigma / (1 + (shift - 1) * sigma); }

double shift_of(const FlowShift& facts, int tokens) {
  if (!facts.dynamic) return facts.shift;
  const double slope = (facts.max_shift - facts.base_shift) / (facts.max_tokens - facts.base_tokens);
  return std::exp(facts.base_shift + slope * (tokens - facts.base_tokens));
}

Schedule make_schedule(const Model& model, ScheduleKind kind, const ScheduleOptions& options, int steps) {
  const bool flow = path_of(model.sampling.prediction) == Path::flow;
  Levels levels = flow ? Levels{flow_sigmas(model, kind, options, steps), {}}
                       : variance_exploding_levels(model, kind, options, steps);
  if (levels.times.empty()) {
    const SigmaTimeMap scale(model.sampling);
    for (const double sigma : levels.sigmas) levels.times.push_back(scale.time_of(sigma));
  }
  Schedule schedule{std::move(levels.sigmas), std::move(levels.times), 1};
  assert(static_cast<int>(schedule.sigmas.size()) == steps);
  const double largest = *std::max_element(schedule.sigmas.begin(), schedule.sigmas.end());
  const bool leading = !flow && kind == ScheduleKind::own && options.spacing == Spacing::leading;
  schedule.initial_noise = leading ? std::hypot(largest, 1) : largest;
  schedule.sigmas.push_back(0);
  return schedule;
}

bool begins_at_noise_alone(const Schedule& schedule, const SamplingFacts& facts) {
  return facts.zero_snr && schedule.sigmas.front() >= SigmaTimeMap(facts).largest() * (1 - 1e-6);
}

SamplingFacts sampling_of(const ResolvedJob& job, const Model& model) {
  SamplingFacts facts = model.sampling;
  if (job.zero_snr) facts.zero_snr = *job.zero_snr == "on";
  return facts;
}

Schedule schedule_of(const ResolvedJob& job, const Model& model) {
  const ScheduleOptions options = {job.spacing.value_or(model.sampling.spacing), job.shift.value_or(1),
                                   job.sigmas.value_or(Values{})};
  Model asked = model;
  asked.sampling = sampling_of(job, model);
  Schedule schedule = make_schedule(asked, find_schedule(job.schedule).kind, options, job.steps);
  if (path_of(model.sampling.prediction) == Path::flow) return schedule;
  const SamplerRow& sampler = find_sampler(job.sampler);
  if (sampler.terminal == Terminal::wholly && begins_at_noise_alone(schedule, asked.sampling)) {
    schedule.sigmas.front() = noise_alone;
  }
  if (sampler.start == Start::unit) schedule.initial_noise = std::hypot(schedule.sigmas.front(), 1);
  return schedule;
}

std::optional<double> shift_for(const Model& model, int width, int height) {
  if (path_of(model.sampling.prediction) != Path::flow) return std::nullopt;
  return shift_of(model.sampling.flow_shift, picture_tokens(model, width, height));
}

Schedule hires_schedule_of(const ResolvedJob& job, const Model& model) {
  ResolvedJob pass = job;
  pass.steps = *job.hires_steps;
  const bool asked = job.shift != shift_for(model, job.width, job.height);
  if (!asked) pass.shift = shift_for(model, job.hires_width, job.hires_height);
  return schedule_of(pass, model);
}

}  // namespace lapis::core
