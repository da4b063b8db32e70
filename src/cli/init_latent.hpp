// The latent a job starts from, and the job that made it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/job_options.hpp"
#include "io/latent_forms.hpp"
#include "lapis/job.hpp"
#include "lapis/latent.hpp"
#include "lapis/model.hpp"

namespace lapis::cli {

/// A latent that `--init-latent` names, read whole.
class InitLatent {
 public:
  /// `asked` names it, "-" for standard input. Throws Error{usage} for a terminal, and what reading it throws. What the
  /// latent's own job recorded is read where it is needed: for a prompt or a model that is not named, and to go on with
  /// an unfinished latent.
  explicit InitLatent(const AskedJob& asked);

  const Passport& passport() const { return read_.document.passport; }

  /// The name of the model that made it; empty where that is not known.
  std::string model() const { return recorded_ ? recorded_->model : ""; }

  /// Throws Error{incompatible} for a latent that `model` cannot start from.
  void check_space(const Model& model) const;

  /// The job to do: of what is not named, an unfinished latent brings all that its own job recorded, and a finished one
  /// too where there is no prompt. The latent's digest stands in place of its name. Throws Error{usage} if there is no
  /// prompt at all, or if the one recorded calls embeddings whose files are not named.
  Job completed(const AskedJob& asked, const Model& model) const;

  /// The latent as the engine takes it. What another sampler remembers than that of `job` is left out.
  Latent latent(const ResolvedJob& job);

  /// What was done to it, one line each; complete after `latent`.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  std::string name_;
  std::string sha256_;
  io::ForeignLatent read_;
  std::optional<Job> recorded_;
  std::vector<std::string> notes_;
};

}  // namespace lapis::cli
