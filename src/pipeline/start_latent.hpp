// The latent a job starts from, and the job that made it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lapis/engine.hpp"
#include "lapis/job.hpp"
#include "lapis/latent.hpp"
#include "lapis/model.hpp"
#include "pipeline/asked.hpp"
#include "pipeline/handoff.hpp"
#include "pipeline/named_latent.hpp"

namespace lapis::pipeline {

/// A latent to start from, read.
struct LatentInput {
  NamedLatent latent;
  std::string sha256;  ///< of its file
};

/// What the job that made a latent recorded, with the model that drew last; read where it is needed: for a prompt or a
/// model that is not named, and to go on with a partially denoised latent.
std::optional<Job> recorded_job(const NamedLatent& latent, const AskedJob& asked);

/// What starting from it comes to. The models are the catalog's, which must live as long.
struct StartLatentPlan {
  NamedLatent latent;
  HandoffPlan handoff;
  Job job;                             ///< to do; the latent's digest stands in place of its name
  bool inherits_loras = false;         ///< they are those that the latent was made with
  std::optional<std::string> sampler;  ///< that the latent was made with, where its job was read
};

/// Plans its way to `model`, into the size that `asked` names, and the job: of what is not named, a partially denoised
/// latent brings all that its own job `recorded`, and a finished one too where there is no prompt. Throws
/// Error{incompatible} for a latent that `model` cannot start from, Error{usage} if there is no prompt at all, or if
/// the one recorded calls embeddings whose files are not named.
StartLatentPlan plan_start_latent(LatentInput input, const std::optional<Job>& recorded, const AskedJob& asked,
                                  const Model& model, const core::RouteOptions& options, ModelCatalog& catalog);

/// The latent as the engine takes it.
struct StartLatent {
  Latent latent;
  std::vector<Transcode> history;  ///< what it has been through
  std::vector<std::string> notes;  ///< what was left out of it, one line each
  Timings timings;
};

/// Takes it the way that was planned, for `job`. What another sampler remembers than that of `job` is left out.
StartLatent carry(const StartLatentPlan& plan, const ResolvedJob& job, Engine& engine, const Events& events);

}  // namespace lapis::pipeline
