#include "pipeline/start_latent.hpp"

#include <utility>

#include "core/family/families.hpp"
#include "core/job/inherit.hpp"
#include "core/latent/latents.hpp"
#include "core/picture/resize_mode.hpp"
#include "core/sampling/samplers.hpp"
#include "core/text/job_limits.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "io/latent/latent_file.hpp"
#include "io/report/job_json.hpp"
#include "lapis/error.hpp"

namespace lapis::pipeline {
namespace {

/// The size that the picture of a latent is to be drawn at; none where nobody says one. A partially denoised one has
/// the size it has: `core::resolve` refuses another.
std::optional<PixelSize> asked_size(const AskedJob& asked, const Model& model, const Passport& passport) {
  if (passport.sigma > 0 || (!asked.job.width && !asked.job.height)) return std::nullopt;
  const int multiple = core::find_family(model.family)->size_multiple;
  const PixelSize own = core::picture_size(passport);
  Job job = asked.job;
  core::take_size(job, model, own.width, own.height);
  for (const auto& [key, side] : {std::pair("width", *job.width), std::pair("height", *job.height)}) {
    const auto problem = core::side_problem(core::field_name(key), side, multiple);
    if (problem) throw Error(ErrorKind::usage, *problem);
  }
  return PixelSize{static_cast<int>(*job.width), static_cast<int>(*job.height)};
}

/// Throws where nothing says what the picture shows.
void check_prompt(const NamedLatent& latent, const std::optional<Job>& recorded, const AskedJob& asked) {
  if (asked.named.contains("prompt")) return;
  // What encode records has no prompt; a partially denoised latent goes on with an empty one if that is how it began.
  if (!recorded || (recorded->prompt.empty() && latent.passport().sigma == 0)) {
    throw Error(ErrorKind::usage, core::sentence("there is no prompt, and {} records none.", latent.name),
                core::sentence("Say what the picture shows: {prompt} \"a lake\""));
  }
  if (!recorded->embeddings.empty() && !asked.named.contains("embeddings")) {
    throw Error(ErrorKind::usage,
                core::sentence("the prompt that {} records calls the embeddings {}.", latent.name,
                               core::listed(recorded->embeddings)),
                core::sentence("Name their files: {embeddings} NAME=FILE"));
  }
}

}  // namespace

std::optional<Job> recorded_job(const NamedLatent& latent, const AskedJob& asked) {
  const Passport& passport = latent.passport();
  const bool needed = !asked.named.contains("prompt") || !asked.named.contains("model") || passport.sigma > 0;
  if (!needed || passport.job.empty()) return std::nullopt;
  Job recorded = io::job_from_json(passport.job, latent.name);
  if (recorded.then) recorded.model = core::parse_stage(*recorded.then).name;
  return recorded;
}

StartLatentPlan plan_start_latent(LatentInput input, const std::optional<Job>& recorded, const AskedJob& asked,
                                  const Model& model, const core::RouteOptions& options, ModelCatalog& catalog) {
  const Passport& passport = input.latent.passport();
  StartLatentPlan plan;
  plan.handoff = plan_handoff({input.latent.name, passport, input.latent.latent.layout}, nullptr, model,
                              asked_size(asked, model, passport), options, catalog);
  check_prompt(input.latent, recorded, asked);
  const bool takes_up = recorded && (!asked.named.contains("prompt") || passport.sigma > 0);
  plan.job = takes_up ? core::inherit(*recorded, asked.job, asked.named, passport, model) : asked.job;
  plan.job.init_latent = "sha256:" + input.sha256;
  plan.inherits_loras = takes_up && !asked.named.contains("loras");
  if (recorded) plan.sampler = recorded->sampler;
  plan.latent = std::move(input.latent);
  return plan;
}

StartLatent carry(const StartLatentPlan& plan, const ResolvedJob& job, Engine& engine, const Events& events) {
  const Transcoded carried = carry(plan.handoff, plan.latent.latent.document, job.vae_tiling, engine, events);
  StartLatent start{io::to_latent(carried.document), carried.document.passport.history, {}, carried.timings};
  if (start.latent.memory.empty()) return start;
  if (plan.sampler && core::find_sampler(*plan.sampler).name == job.sampler) return start;
  start.latent.memory.clear();
  start.notes.push_back(core::sentence("{}: what {} remembered is left out; {} begins anew", plan.latent.name,
                                       plan.sampler.value_or("its sampler"), job.sampler));
  return start;
}

}  // namespace lapis::pipeline
