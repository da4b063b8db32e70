// Runs that stop half way, and latents that they go on from.
#pragma once

#include "lapis/job.hpp"
#include "lapis/latent.hpp"
#include "lapis/model.hpp"
#include "lapis/sampling.hpp"

namespace lapis::core {

/// Where a latent stands on its way.
struct StepState {
  double sigma;
  Path path;
  int step;
};

/// `job` with the size and the batch of the latent it starts from. Throws Error{usage} where it asks for others.
Job sized_by(const Passport& latent, Job job);

/// Decides stop_at of `resolved`, of which steps, strength, mask and hires are decided; `latent` is what the job starts
/// from, or null. Throws Error{usage} for a stop that is not behind the steps done and before the last, and where what
/// a latent keeps would not be enough to go on.
void resolve_stop(const Job& job, const Model& model, const Passport* latent, ResolvedJob& resolved);

/// Throws unless a run over `schedule` on `path` comes by this very state: Error{incompatible} for another path,
/// Error{usage} for another sigma, saying what to leave out.
void check_step_state(const StepState& state, const Schedule& schedule, Path path);

}  // namespace lapis::core
