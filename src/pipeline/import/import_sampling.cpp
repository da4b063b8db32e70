#include "pipeline/import/import_sampling.hpp"

#include <algorithm>

#include "core/job/resolve_sampling.hpp"
#include "core/text/sentence.hpp"
#include "io/checkpoint/scheduler_config.hpp"
#include "lapis/error.hpp"

namespace lapis::pipeline {
namespace {

/// Takes what a scheduler's configuration says.
void take_scheduler(const io::SchedulerConfig& config, const std::string& title, Model& model,
                    std::vector<std::string>& notes) {
  const bool flow = path_of(model.sampling.prediction) == Path::flow;
  if (flow != (path_of(config.sampling.prediction) == Path::flow)) {
    throw Error(
        ErrorKind::incompatible,
        core::sentence("{}: {} is for networks that predict {}, and {} is {}.", config.file.string(), config.class_name,
                       flow ? "noise or v" : "a flow's velocity", title, flow ? "a flow" : "none"),
        "Take the scheduler that belongs to the model");
  }
  model.sampling = config.sampling;
  notes.insert(notes.end(), config.notes.begin(), config.notes.end());
  model.defaults.schedule = config.schedule;
  if (!config.sampler.empty()) {
    model.defaults.sampler = config.sampler;
    return;
  }
  notes.push_back(core::sentence("{}: lapis has no sampler of {}; jobs take {}", config.file.string(),
                                 config.class_name, model.defaults.sampler));
}

}  // namespace

void decide_sampling(const SamplingSources& sources, Model& model, std::vector<std::string>& notes) {
  const Defaults usual = model.defaults;
  core::SamplingSpeakers speakers{sources.title, sources.weights, {}};
  if (sources.folder) {
    if (const auto config = io::read_scheduler(*sources.folder)) {
      take_scheduler(*config, sources.title, model, notes);
      speakers.scheduler = config->file.string();
    }
  }
  std::vector<core::SamplingClaim> claims;
  if (sources.denoiser != nullptr) {
    std::vector<std::string> tensors;
    for (const core::TensorShape& tensor : sources.denoiser->tensors()) tensors.push_back(tensor.name);
    claims = core::sampling_claims(sources.denoiser->metadata(), tensors);
  }
  model.sampling = core::claimed_sampling(model.sampling, claims, sources.wish, speakers, notes);
  model.defaults.steps = std::min(model.defaults.steps, model.sampling.train_steps);
  // A sampler that diffusers takes for such a model may still be none that can sample it here.
  const auto problem = core::sampling_defaults_problem(model);
  if (!problem) return;
  model.defaults.sampler = usual.sampler;
  model.defaults.schedule = usual.schedule;
  notes.push_back(core::sentence("jobs take {}, schedule {}: {}", usual.sampler, usual.schedule, *problem));
}

}  // namespace lapis::pipeline
