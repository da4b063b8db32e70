// The table of schedules: n noise levels of a model, by name.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/text/names.hpp"
#include "lapis/job.hpp"
#include "lapis/model.hpp"
#include "lapis/sampling.hpp"

namespace lapis::core {

/// The schedules, a row each; `make_schedule` says how each lays its noise levels.
enum class ScheduleKind {
  own,
  normal,
  karras,
  exponential,
  sgm_uniform,
  simple,
  ddim_uniform,
  beta,
  ays,
  kl_optimal,
  linear_quadratic,
  lcm,
  by_hand
};

/// One row per schedule.
struct ScheduleRow {
  ScheduleKind kind;
  std::string name;                  ///< on the command line, in model.json and in provenance
  std::string label;                 ///< in A1111's text
  std::vector<std::string> aliases;  ///< what A1111, ComfyUI, diffusers and stable-diffusion.cpp call it
  std::string help;                  ///< one line
  std::string not_on_flow;           ///< why a flow has none; empty where it has
  std::string oracle;                ///< whose numbers the goldens hold
};

/// All schedules, in the order in which messages list them.
std::span<const ScheduleRow> schedules();

/// A schedule's name, its label and its aliases.
std::vector<std::string> names_of(const ScheduleRow& row);

/// The schedule of this name, label or alias, loosely spelt (`loose_name`). Throws as `refuse_word` of `what`.
const ScheduleRow& find_schedule(std::string_view name, const std::string& what = field_name("schedule"));

/// True where models of `space` on `path` have the schedule, whatever their steps.
bool supports(const ScheduleRow& row, Path path, std::string_view space);

/// Why `model` has no such schedule of `steps` steps, as in "schedule ays fits no flow model: ...", with what fits;
/// none where it has.
std::optional<std::string> schedule_problem(const ScheduleRow& row, const Model& model, int steps);

/// How a flow's sigma is moved towards noise: shift s / (1 + (shift - 1) s) (see FlowShift).
double shifted(double sigma, double shift);

/// e^mu of `facts` for a picture of so many tokens (see FlowShift). Not clamped beyond both ends, as diffusers has it.
double shift_of(const FlowShift& facts, int tokens);

/// What a schedule is made of beside its model and its steps.
struct ScheduleOptions {
  Spacing spacing = Spacing::leading;  ///< of own, on the variance-exploding path
  double shift = 1;                    ///< of a flow
  std::vector<double> sigmas;          ///< of by_hand: all but the 0
};

/// `steps` noise levels of `model`, the network's times of them, and how the first latent is scaled: sigma, and for own
/// with leading spacing sqrt(sigma^2 + 1). On the variance-exploding path, with the training sigmas smallest to
/// largest:
///   own           `make_schedule` of core/sampling/schedules.hpp
///   normal        evenly in time over all the training, sigmas straight in their logarithm between (k-diffusion's
///                 DiscreteSchedule)
///   sgm_uniform   n + 1 sigmas of normal without the last
///   simple        every (train_steps / n)-th training sigma from the last one down
///   ddim_uniform  as leading with offset 1
///   lcm           n of 50 times (LCMScheduler, TCDScheduler)
///   karras, exponential, beta, kl_optimal, linear_quadratic, ays
///                 core/sampling/schedule_shapes.hpp, times by `SigmaTimeMap`
/// On the flow path, before the shift, times sigma train_steps:
///   own           1 to 1 / n
///   normal        1 to 1 / train_steps
///   sgm_uniform   n + 1 sigmas of normal without the last
///   simple, ddim_uniform
///                 of the train_steps sigmas 1 / train_steps to 1
///   karras, exponential, beta
///                 between the first and the last of own, after the shift (FlowMatchEulerDiscreteScheduler)
///   kl_optimal    between 1 and the shifted 1 / train_steps
///   linear_quadratic
///                 from 1
/// `schedule_problem` must find nothing.
Schedule make_schedule(const Model& model, ScheduleKind kind, const ScheduleOptions& options, int steps);

/// What `model` says of sampling, with what a job says of it in its place: zero terminal SNR.
SamplingFacts sampling_of(const ResolvedJob& job, const Model& model);

/// The flow shift of `model` for a picture of so many pixels; none for a model that is no flow.
std::optional<double> shift_for(const Model& model, int width, int height);

/// Whether the first of a schedule's sigmas is that of zero terminal SNR, which is infinite.
bool begins_at_noise_alone(const Schedule& schedule, const SamplingFacts& facts);

/// The schedule of a resolved job, with the first latent scaled, and noise alone given a sigma, as its sampler's row
/// wants it.
Schedule schedule_of(const ResolvedJob& job, const Model& model);

/// The schedule of a resolved job's second pass: of that pass's steps, and shifted for its size unless the job gives a
/// shift. `job.hires` must have a value.
Schedule hires_schedule_of(const ResolvedJob& job, const Model& model);

}  // namespace lapis::core
