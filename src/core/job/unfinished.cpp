#include "core/job/unfinished.hpp"

#include <string>

#include "core/job/job_fields.hpp"
#include "core/sampling/strength.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::core {
namespace {

[[noreturn]] void refuse(const std::string& text, const std::string& advice = "") {
  throw Error(ErrorKind::usage, text, advice);
}

std::string path_text(Path path) { return path == Path::flow ? "a flow" : "the variance-exploding path"; }

/// `asked`, where it is what the latent has.
void take(std::optional<std::int64_t>& asked, std::int64_t has, std::string_view key, const std::string& latent) {
  if (asked.value_or(has) != has) {
    refuse(field_name(key) + " is " + std::to_string(*asked) + "; the latent to start from is of " + latent +
           ". Leave " + field_name(key) + " out");
  }
  asked = has;
}

}  // namespace

Job sized_by(const Passport& latent, Job job) {
  const auto [batch, channels, height, width] = latent.shape;
  const std::int64_t cell = latent.space.downscale;
  const std::string size = std::to_string(width * cell) + " x " + std::to_string(height * cell) + " pixels";
  take(job.width, width * cell, "width", size);
  take(job.height, height * cell, "height", size);
  take(job.batch, batch, "batch", std::to_string(batch) + (batch == 1 ? " picture" : " pictures"));
  return job;
}

void resolve_stop(const Job& job, const Model& model, const Passport* latent, ResolvedJob& resolved) {
  if (!job.stop_at) return;
  const std::string name = field_name("stop_at");
  if (resolved.hires) {
    refuse(name + " and " + field_name("hires") +
           " do not go together: a second pass begins where the first ends. Give " + field_name("hires") +
           " when you go on");
  }
  if (job.then) {
    refuse(name + " and " + field_name("then") +
           " do not go together: a second model goes on from a finished latent. Finish " +
           marked("the unfinished one, and then {lapis refine} it"));
  }
  if (resolved.mask) {
    refuse(name + " and " + field_name("mask") +
           " do not go together: a latent keeps neither the picture nor the mask");
  }
  if (resolved.strength && resolved.guidance_interval != Interval{}) {
    refuse(name + " and " + field_name("guidance_interval") + " do not go together where " + field_name("strength") +
           " leaves steps out: the interval is of the steps that are walked, and a latent does not keep how many");
  }
  int done = latent != nullptr ? latent->step : 0;
  if (resolved.strength) {
    done = skipped_steps(resolved.steps, *resolved.strength, path_of(model.sampling.prediction));
  }
  const std::string steps = count_text(static_cast<std::uint64_t>(resolved.steps), "step");
  const std::string of = steps + (done > 0 ? ", " + std::to_string(done) + " of them passed at its beginning," : "");
  const std::string is = name + " is " + std::to_string(*job.stop_at) + "; a walk of " + of;
  if (done + 1 >= resolved.steps) refuse(is + " has no place to stop before its end. Leave " + name + " out");
  if (*job.stop_at <= done || *job.stop_at >= resolved.steps) {
    const int first = done + 1;
    const int last = resolved.steps - 1;
    refuse(is + (first == last ? sentence(" can stop after {} alone", first)
                               : sentence(" can stop after {} to {}", first, last)));
  }
  resolved.stop_at = static_cast<int>(*job.stop_at);
}

void check_step_state(const StepState& place, const Schedule& schedule, Path path) {
  if (place.path != path) {
    throw Error(ErrorKind::incompatible, "the latent is unfinished, on its way on " + path_text(place.path) +
                                             ", and the model walks " + path_text(path) +
                                             ". Go on with a model of the kind that began it");
  }
  const std::string after = "after " + count_text(static_cast<std::uint64_t>(place.step), "step") +
                            " the latent stands at sigma " + number_text(place.sigma);
  const auto step = static_cast<std::size_t>(place.step);
  const bool there = place.step >= 0 && step < schedule.timesteps.size();
  if (there && schedule.sigmas[step] == place.sigma) return;
  refuse(after +
             (there ? " and this job's schedule at " + number_text(schedule.sigmas[step])
                    : ", and this job has " + std::to_string(schedule.timesteps.size()) + " in all") +
             ": it was begun on another schedule.",
         "Leave out " + field_name("steps") + ", " + field_name("schedule") + ", " + field_name("spacing") + ", " +
             field_name("sigmas") + " and " + field_name("shift") +
             ", for the latent's own job says them; or give those it was begun with");
}

}  // namespace lapis::core
