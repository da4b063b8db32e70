#include "pipeline/render_request.hpp"

#include <utility>

#include "core/sampling/schedule_table.hpp"
#include "core/sampling/strength.hpp"
#include "io/latent/latent_file.hpp"

namespace lapis::pipeline {

RenderRequest render_request(const ResolvedJob& job, const Model& model, io::EncodedPrompts prompts) {
  RenderRequest request;
  request.job = job;
  request.schedule = core::schedule_of(job, model);
  if (job.hires) request.hires_schedule = core::hires_schedule_of(job, model);
  for (auto& [name, chunked] : prompts.prompt) request.prompt[name] = std::move(chunked.chunks);
  for (auto& [name, chunked] : prompts.negative) request.negative[name] = std::move(chunked.chunks);
  request.empty = std::move(prompts.empty);
  return request;
}

int second_pass_steps(const RenderRequest& request, const Model& model) {
  if (!request.hires_schedule) return 0;
  const ResolvedJob& job = request.job;
  const Path path = path_of(model.sampling.prediction);
  return static_cast<int>(request.hires_schedule->timesteps.size()) -
         core::skipped_steps(*job.hires_steps, *job.hires_strength, path);
}

Passport passport_of(const ResolvedJob& job, const Model& model) {
  const int width = job.hires ? job.hires_width : job.width;
  const int height = job.hires ? job.hires_height : job.height;
  Passport passport;
  passport.space = model.space;
  passport.vae_sha256 = io::vae_digest(model);
  passport.shape = {job.batch, model.space.channels, height / model.space.downscale, width / model.space.downscale};
  return passport;
}

}  // namespace lapis::pipeline
