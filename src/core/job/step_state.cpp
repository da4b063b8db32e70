#include "core/job/step_state.hpp"

#include <string>

#include "core/job/job_fields.hpp"
#include "core/sampling/strength.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

[[noreturn]] void refuse_state(const std::string& text, const std::string& advice = "") {
  throw Error(ErrorKind::usage, text, advice);
}

std::string state_path_text(Path path) { return path == Path::flow ? "a flow" : "the variance-exploding path"; }

/// `asked`, where it is what the latent has.
void take(std::optional<std::int64_t>& asked, std::int64_t has, std::string_view key, const std::string& latent) {
  if (asked.value_or(has) != has) {
    refuse_state(sentence("{} is {}; the latent to start from is of {}. Leave {} out", field_name(key), *asked, latent,
                          field_name(key)));
  }
  asked = has;
}

}  // namespace

Job sized_by(const Passport& latent, Job job) {
  const auto [batch, channels, height, width] = latent.shape;
  const std::int64_t cell = latent.space.downscale;
  const std::string size = sentence("{} x {} pixels", width * cell, height * cell);
  take(job.width, width * cell, "width", size);
  take(job.height, height * cell, "height", size);
  take(job.batch, batch, "batch", count_text(static_cast<std::uint64_t>(batch), "picture"));
  return job;
}

void resolve_stop(const Job& job, const Model& model, const Passport* latent, ResolvedJob& resolved) {
  if (!job.stop_at) return;
  if (resolved.hires) {
    refuse_state(
        sentence("{stop_at} and {hires} do not go together: a second pass begins where the first ends. Give {hires} "
                 "when you go on"));
  }
  if (job.then) {
    refuse_state(
        sentence("{stop_at} and {then} do not go together: a second model goes on from a finished latent. Finish "
                 "the partially denoised one, and then {lapis refine} it"));
  }
  if (resolved.mask) {
    refuse_state(sentence("{stop_at} and {mask} do not go together: a latent keeps neither the picture nor the mask"));
  }
  if (resolved.strength && resolved.guidance_interval != Interval{}) {
    refuse_state(
        sentence("{stop_at} and {guidance_interval} do not go together where {strength} leaves steps out: the "
                 "interval is of the steps that are taken, and a latent does not keep how many"));
  }
  int done = latent != nullptr ? latent->step : 0;
  if (resolved.strength) {
    done = skipped_steps(resolved.steps, *resolved.strength, path_of(model.sampling.prediction));
  }
  const std::string steps = count_text(static_cast<std::uint64_t>(resolved.steps), "step");
  const std::string run = done > 0 ? sentence("{}, {} of them passed at its beginning,", steps, done) : steps;
  if (done + 1 >= resolved.steps) {
    refuse_state(sentence("{stop_at} is {}; a run of {} has no place to stop before its end. Leave {stop_at} out",
                          *job.stop_at, run));
  }
  if (*job.stop_at <= done || *job.stop_at >= resolved.steps) {
    const int first = done + 1;
    const int last = resolved.steps - 1;
    refuse_state(
        first == last
            ? sentence("{stop_at} is {}; a run of {} can stop after {} alone", *job.stop_at, run, first)
            : sentence("{stop_at} is {}; a run of {} can stop after {} to {}", *job.stop_at, run, first, last));
  }
  resolved.stop_at = static_cast<int>(*job.stop_at);
}

void check_step_state(const StepState& state, const Schedule& schedule, Path path) {
  if (state.path != path) {
    throw Error(
        ErrorKind::incompatible,
        sentence(
            "the latent is partially denoised, on its way on {}, and the model denoises on {}. Go on with a model of "
            "the kind that began it",
            state_path_text(state.path), state_path_text(path)));
  }
  const std::string steps = count_text(static_cast<std::uint64_t>(state.step), "step");
  const std::string sigma = number_text(state.sigma);
  const auto step = static_cast<std::size_t>(state.step);
  const bool there = state.step >= 0 && step < schedule.timesteps.size();
  if (there && schedule.sigmas[step] == state.sigma) return;
  refuse_state(
      there ? sentence("after {} the latent stands at sigma {} and this job's schedule at {}: it was begun on "
                       "another schedule.",
                       steps, sigma, number_text(schedule.sigmas[step]))
            : sentence("after {} the latent stands at sigma {}, and this job has {} in all: it was begun on another "
                       "schedule.",
                       steps, sigma, schedule.timesteps.size()),
      sentence("Leave out {steps}, {schedule}, {spacing}, {sigmas} and {shift}, for the latent's own job says them; "
               "or give those it was begun with"));
}

}  // namespace lapis::core
