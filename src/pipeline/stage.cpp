#include "pipeline/stage.hpp"

#include <utility>

#include "core/job/job_fields.hpp"
#include "core/latent/latents.hpp"
#include "core/prompt/prompt_syntax.hpp"
#include "core/job/inherit.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "io/latent/latent_file.hpp"
#include "lapis/error.hpp"
#include "pipeline/render_request.hpp"

namespace lapis::pipeline {
namespace {

Handoff planned(const Passport& passport, const Model& own, const Model& target, const core::RouteOptions& options,
                ModelCatalog& catalog) {
  const std::string file = core::sentence("what {} makes", own.name);
  try {
    return {file, passport, core::Layout::plain, &own, target, std::nullopt, options, catalog};
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::incompatible) throw;
    // The advice is about a latent file, of which there is none here.
    throw Error(ErrorKind::incompatible, error.marked_problem(),
                core::sentence("Choose a size and models that go together: {lapis check} {} {}", own.name,
                               target.name));
  }
}

bool calls_loras(const Job& job) {
  const auto syntax = core::find_prompt_syntax(job.prompt_syntax.value_or("plain")).syntax;
  return !core::parse_prompt(job.prompt, syntax).loras.empty();
}

}  // namespace

Stage::Stage(const Job& first, const ResolvedJob& resolved, const Model& own, const core::RouteOptions& options,
             ModelCatalog& catalog) {
  const core::Stage second = core::parse_stage(*first.then);
  model_ = catalog.open(second.name);
  const Passport passport = passport_of(resolved, own);
  own_vae_ = passport.vae_sha256;
  handoff_.emplace(planned(passport, own, model_, options, catalog));
  const Job asked = core::stage_job(first, second);
  Job job = core::inherit(asked, {}, {}, handoff_->arriving(), model_);
  job.seed = resolved.seed;
  job.init_latent = "the first model's";
  if (own.family == model_.family) job.embeddings = asked.embeddings;
  takes_loras_ = own.family == model_.family;
  if (!takes_loras_ && (!asked.loras.empty() || calls_loras(asked)))
    notes_.push_back(core::sentence("{} is of another family: the LoRAs are {}'s alone", model_.name, own.name));
  if (job.embeddings != asked.embeddings)
    notes_.push_back(core::sentence("{} is of another family: it reads no embeddings of {}", model_.name, own.name));
  if (job.negative_prompt != asked.negative_prompt)
    notes_.push_back(
        core::sentence("{} makes no negative pass: the negative prompt is {}'s alone", model_.name, own.name));
  embeddings_ = job.embeddings;
  job_ = core::resolve(job, model_, 0, &handoff_->arriving());
}

std::string Stage::name() const { return model_.name + ":" + core::number_text(*job_.strength); }

void Stage::add(const Rendered& picture) {
  timings_ += picture.timings;
  core::append(latent_, picture.latent);
  if (wants_pictures()) pictures_.push_back(picture.image);
}

Latent Stage::carry(const std::vector<Transcode>& history, Engine& engine, const Events& events) {
  Passport passport;
  passport.vae_sha256 = own_vae_;
  passport.history = history;
  io::LatentDocument document = io::to_document(latent_, std::move(passport));
  const std::string& tiling = job_.vae_tiling;
  document = wants_pictures() ? handoff_->carry(std::move(pictures_), document.passport, tiling, engine, events)
                              : handoff_->carry(document, tiling, engine, events);
  history_ = document.passport.history;
  timings_ += handoff_->timings();
  return io::to_latent(document);
}

}  // namespace lapis::pipeline
