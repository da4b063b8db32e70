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

/// The size that a picture of `own` size is to be drawn at; none where nobody says one.
std::optional<PixelSize> asked_size(const AskedJob& asked, const Model& model, PixelSize own) {
  if (!asked.job.width && !asked.job.height) return std::nullopt;
  const int multiple = core::find_family(model.family)->size_multiple;
  Job job = asked.job;
  core::take_size(job, model, own.width, own.height);
  for (const auto& [key, side] : {std::pair("width", *job.width), std::pair("height", *job.height)}) {
    const auto problem = core::side_problem(core::field_name(key), side, multiple);
    if (problem) throw Error(ErrorKind::usage, *problem);
  }
  return PixelSize{static_cast<int>(*job.width), static_cast<int>(*job.height)};
}

}  // namespace

StartLatent::StartLatent(NamedLatent latent, std::string sha256, const AskedJob& asked)
    : name_(std::move(latent.name)), sha256_(std::move(sha256)), read_(std::move(latent.latent)) {
  const Passport& passport = read_.document.passport;
  const bool needed = !asked.named.contains("prompt") || !asked.named.contains("model") || passport.sigma > 0;
  if (!needed || passport.job.empty()) return;
  recorded_ = io::job_from_json(passport.job, name_);
  if (recorded_->then) recorded_->model = core::parse_stage(*recorded_->then).name;
}

void StartLatent::plan(const AskedJob& asked, const Model& model, const core::RouteOptions& options,
                       ModelCatalog& catalog) {
  const Passport& passport = read_.document.passport;
  // An unfinished one has the size it has: `resolve` refuses another.
  const std::optional<PixelSize> size =
      passport.sigma == 0 ? asked_size(asked, model, core::picture_size(passport)) : std::nullopt;
  handoff_.emplace(name_, passport, read_.layout, nullptr, model, size, options, catalog);
}

Job StartLatent::completed(const AskedJob& asked, const Model& model) const {
  const bool prompt = asked.named.contains("prompt");
  const Passport& passport = read_.document.passport;
  // What encode records has no prompt; an unfinished latent goes on with an empty one if that is how it began.
  const bool records_prompt = recorded_ && (!recorded_->prompt.empty() || passport.sigma > 0);
  if (!prompt && !records_prompt) {
    throw Error(ErrorKind::usage, core::sentence("there is no prompt, and {} records none.", name_),
                core::sentence("Say what the picture shows: {prompt} \"a lake\""));
  }
  if (!prompt && !recorded_->embeddings.empty() && !asked.named.contains("embeddings")) {
    throw Error(ErrorKind::usage,
                core::sentence("the prompt that {} records calls the embeddings {}.", name_,
                               core::listed(recorded_->embeddings)),
                core::sentence("Name their files: {embeddings} NAME=FILE"));
  }
  const bool takes_up = recorded_ && (!prompt || passport.sigma > 0);
  Job job = takes_up ? core::inherit(*recorded_, asked.job, asked.named, passport, model) : asked.job;
  job.init_latent = "sha256:" + sha256_;
  return job;
}

void StartLatent::complete(LoraRequest& request, const AskedJob& asked) const {
  const bool takes_up = recorded_ && (!asked.named.contains("prompt") || read_.document.passport.sigma > 0);
  if (!takes_up || asked.named.contains("loras")) return;
  request.latent = name_;
  request.recorded = io::lora_digests(read_.document.passport.job, name_);
}

void StartLatent::carry(const std::string& tiling, Engine& engine, const Events& events) {
  read_.document = handoff_->carry(read_.document, tiling, engine, events);
}

Latent StartLatent::latent(const ResolvedJob& job) {
  Latent latent = io::to_latent(read_.document);
  if (latent.memory.empty()) return latent;
  const bool own = recorded_ && recorded_->sampler && core::find_sampler(*recorded_->sampler).name == job.sampler;
  if (!own) {
    latent.memory.clear();
    notes_.push_back(core::sentence("{}: what {} remembered is left out; {} begins anew", name_,
                                    recorded_ ? recorded_->sampler.value_or("its sampler") : "its sampler",
                                    job.sampler));
  }
  return latent;
}

}  // namespace lapis::pipeline
