// What the engine is asked to render, for every command that renders.
#pragma once

#include "io/prompt/prompt_reader.hpp"
#include "lapis/engine.hpp"
#include "lapis/job.hpp"
#include "lapis/latent.hpp"
#include "lapis/model.hpp"

namespace lapis::pipeline {

/// A request for `job` from noise: its tokens and its schedules. Pictures are decoded.
RenderRequest render_request(const ResolvedJob& job, const Model& model, io::EncodedPrompts prompts);

/// The steps that each picture takes in its second pass, over the enlarged picture; 0 where it has none.
int second_pass_steps(const RenderRequest& request, const Model& model);

/// The passport of the latents that `model` will make of `job`, but for the settings.
Passport passport_of(const ResolvedJob& job, const Model& model);

}  // namespace lapis::pipeline
