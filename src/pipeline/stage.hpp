// The second model of a job, which goes on from what the first one made.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lapis/attachments.hpp"
#include "lapis/engine.hpp"
#include "lapis/job.hpp"
#include "lapis/latent.hpp"
#include "lapis/model.hpp"
#include "pipeline/handoff.hpp"

namespace lapis::pipeline {

/// What --then asks for.
class Stage {
 public:
  /// `first` is the job as it was asked, with its seed decided; `resolved` the same, decided whole for `own`. Reads and
  /// checks the second model. Throws Error{incompatible} where the pictures of `own` have no way to it, and what
  /// resolving its job throws.
  Stage(const Job& first, const ResolvedJob& resolved, const Model& own, const core::RouteOptions& options,
        ModelCatalog& catalog);
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  /// "MODEL:STRENGTH", as the job records it.
  std::string name() const;

  const Model& model() const { return model_; }
  ResolvedJob& job() { return job_; }
  const ResolvedJob& job() const { return job_; }
  Attachments& attachments() { return attachments_; }
  const std::vector<std::string>& embeddings() const { return embeddings_; }
  const Handoff& handoff() const { return *handoff_; }

  /// Whether the first model's LoRAs are for this one too: it is of the same family.
  bool takes_loras() const { return takes_loras_; }

  /// What was left out of the first model's job, one line each.
  const std::vector<std::string>& notes() const { return notes_; }

  /// Whether the first model has to decode its pictures.
  bool wants_pictures() const { return handoff_->transcodes(); }

  void add(const Rendered& picture);

  /// Everything that was added, in the second model's space; `history` is what it had been through before.
  Latent carry(const std::vector<Transcode>& history, Engine& engine, const Events& events);

  /// What it has been through, after `carry`.
  const std::vector<Transcode>& history() const { return history_; }

  /// Seconds of the first model and of the way from it.
  const Timings& timings() const { return timings_; }

 private:
  Model model_;
  ResolvedJob job_;
  Attachments attachments_;
  std::vector<std::string> embeddings_;
  bool takes_loras_ = false;
  std::optional<Handoff> handoff_;
  std::string own_vae_;
  Latent latent_;
  std::vector<Image> pictures_;
  std::vector<Transcode> history_;
  std::vector<std::string> notes_;
  Timings timings_;
};

}  // namespace lapis::pipeline
