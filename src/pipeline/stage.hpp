// The second model of a job, which goes on from what the first one made.
#pragma once

#include <string>
#include <vector>

#include "lapis/engine.hpp"
#include "lapis/job.hpp"
#include "lapis/latent.hpp"
#include "lapis/model.hpp"
#include "pipeline/handoff.hpp"

namespace lapis::pipeline {

/// What the second model will do. It is the catalog's, which must live as long.
struct StagePlan {
  const Model* model = nullptr;
  ResolvedJob job;
  std::vector<std::string> embeddings;  ///< files
  bool takes_loras = false;             ///< those of the first model: it is of the same family
  HandoffPlan handoff;                  ///< of what the first model makes
  std::vector<std::string> notes;       ///< what is left out of the first model's job, one line each

  /// "MODEL:STRENGTH", as the job records it.
  std::string name() const;
};

/// Plans what `first.then` asks for. `first` is the job as it was asked; `resolved` the same, decided whole for `own`.
/// Reads and checks the second model. Throws Error{incompatible} where the pictures of `own` have no way to it, and
/// what resolving its job throws.
StagePlan plan_stage(const Job& first, const ResolvedJob& resolved, const Model& own, const core::RouteOptions& options,
                     ModelCatalog& catalog);

/// What the first model made.
struct StageInput {
  Latent latent;
  std::vector<Image> pictures;     ///< of the latent; needed where the handoff transcodes
  std::vector<Transcode> history;  ///< what it had been through before
};

/// Takes it into the second model's space. Errors as of `carry` of a `HandoffPlan`.
Transcoded carry(const StagePlan& plan, StageInput made, Engine& engine, const Events& events);

}  // namespace lapis::pipeline
