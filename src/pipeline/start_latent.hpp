// The latent a job starts from, and the job that made it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lapis/engine.hpp"
#include "lapis/job.hpp"
#include "lapis/latent.hpp"
#include "lapis/model.hpp"
#include "pipeline/asked_job.hpp"
#include "pipeline/handoff.hpp"
#include "pipeline/loras.hpp"
#include "pipeline/named_latent.hpp"

namespace lapis::pipeline {

/// The latent, read whole.
class StartLatent {
 public:
  /// `sha256` is that of its file. What the latent's own job recorded is read where it is needed: for a prompt or a
  /// model that is not named, and to go on with an unfinished latent.
  StartLatent(NamedLatent latent, std::string sha256, const AskedJob& asked);

  /// The name of the model that made it; empty where that is not known.
  std::string model() const { return recorded_ ? recorded_->model : ""; }

  /// Plans its way to `model`, which must live as long, and into the size that `asked` names. Throws
  /// Error{incompatible} for a latent that `model` cannot start from.
  void plan(const AskedJob& asked, const Model& model, const core::RouteOptions& options, ModelCatalog& catalog);

  /// Planned before.
  const Handoff& handoff() const { return *handoff_; }

  /// The job to do: of what is not named, an unfinished latent brings all that its own job recorded, and a finished one
  /// too where there is no prompt. The latent's digest stands in place of its name. Throws Error{usage} if there is no
  /// prompt at all, or if the one recorded calls embeddings whose files are not named.
  Job completed(const AskedJob& asked, const Model& model) const;

  /// Completes what LoRAs are looked for: those that are not named are the ones it was made with, by name and digest.
  void complete(LoraRequest& request, const AskedJob& asked) const;

  /// Takes it the way that was planned.
  void carry(const std::string& tiling, Engine& engine, const Events& events);

  /// What it has been through; complete after `carry`.
  const std::vector<Transcode>& history() const { return read_.document.passport.history; }

  /// The latent as the engine takes it, after `carry`. What another sampler remembers than that of `job` is left out.
  Latent latent(const ResolvedJob& job);

  /// What was done to it, one line each; complete after `latent`.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  std::string name_;
  std::string sha256_;
  io::ForeignLatent read_;
  std::optional<Job> recorded_;
  std::optional<Handoff> handoff_;
  std::vector<std::string> notes_;
};

}  // namespace lapis::pipeline
