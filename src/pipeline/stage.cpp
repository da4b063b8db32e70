#include "pipeline/stage.hpp"

#include <utility>

#include "core/job/inherit.hpp"
#include "core/job/job_fields.hpp"
#include "core/prompt/prompt_syntax.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "io/latent/latent_file.hpp"
#include "lapis/error.hpp"
#include "pipeline/render_request.hpp"

namespace lapis::pipeline {
namespace {

HandoffPlan handoff_of(Passport passport, const Model& own, const Model& target, const core::RouteOptions& options,
                       ModelCatalog& catalog) {
  try {
    return plan_handoff({core::sentence("what {} makes", own.name), std::move(passport)}, &own, target, std::nullopt,
                        options, catalog);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::incompatible) throw;
    // The advice is about a latent file, of which there is none here.
    throw Error(
        ErrorKind::incompatible, error.marked_problem(),
        core::sentence("Choose a size and models that go together: {lapis check} {} {}", own.name, target.name));
  }
}

bool calls_loras(const Job& job) {
  const auto syntax = core::find_prompt_syntax(job.prompt_syntax.value_or("plain")).syntax;
  return !core::parse_prompt(job.prompt, syntax).loras.empty();
}

}  // namespace

std::string StagePlan::name() const { return core::sentence("{}:{}", model->name, core::number_text(*job.strength)); }

StagePlan plan_stage(const Job& first, const ResolvedJob& resolved, const Model& own, const core::RouteOptions& options,
                     ModelCatalog& catalog) {
  const core::Stage second = core::parse_stage(*first.then);
  const Model& model = catalog.open(second.name);
  StagePlan plan;
  plan.model = &model;
  plan.handoff = handoff_of(passport_of(resolved, own), own, model, options, catalog);
  plan.takes_loras = own.family == model.family;
  const Job asked = core::stage_job(first, second);
  Job job = core::inherit(asked, {}, {}, plan.handoff.arriving, model);
  job.seed = resolved.seed;
  job.init_latent = "the first model's";
  if (own.family == model.family) job.embeddings = asked.embeddings;
  if (!plan.takes_loras && (!asked.loras.empty() || calls_loras(asked)))
    plan.notes.push_back(core::sentence("{} is of another family: the LoRAs are {}'s alone", model.name, own.name));
  if (job.embeddings != asked.embeddings)
    plan.notes.push_back(core::sentence("{} is of another family: it reads no embeddings of {}", model.name, own.name));
  if (job.negative_prompt != asked.negative_prompt)
    plan.notes.push_back(
        core::sentence("{} makes no negative pass: the negative prompt is {}'s alone", model.name, own.name));
  plan.embeddings = job.embeddings;
  plan.job = core::resolve(job, model, 0, &plan.handoff.arriving);
  return plan;
}

Transcoded carry(const StagePlan& plan, StageInput made, Engine& engine, const Events& events) {
  const HandoffPlan& handoff = plan.handoff;
  Passport passport;
  passport.vae_sha256 = handoff.latent.passport.vae_sha256;
  passport.history = std::move(made.history);
  const io::LatentDocument document = io::to_document(made.latent, std::move(passport));
  return handoff.transcodes()
             ? carry(handoff, std::move(made.pictures), document.passport, plan.job.vae_tiling, engine, events)
             : carry(handoff, document, plan.job.vae_tiling, engine, events);
}

}  // namespace lapis::pipeline
