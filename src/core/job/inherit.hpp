// A job that begins with what another one recorded.
#pragma once

#include <set>
#include <string>

#include "lapis/job.hpp"
#include "lapis/latent.hpp"
#include "lapis/model.hpp"

namespace lapis::core {

/// The job that starts from `latent`: the fields that `named` lists, by key, as in `asked`, all others as in
/// `recorded`, the job that made the latent. Left behind is what the latent itself stands for: what that job started
/// from, its size, its batch, a second pass, where it stopped and, of a partially denoised one, its strength;
/// embeddings too, of which a job records names and no files; where a finished latent comes from another space, all
/// that is said of the run. So is every field that `model`, or a sampler or schedule that was named, does not have. Of
/// a job with a second model, what that model was given is taken (`stage_job`).
Job inherit(const Job& recorded, const Job& asked, const std::set<std::string>& named, const Passport& latent,
            const Model& model);

/// A second model and its strength of image to image: what the field "then" names.
struct Stage {
  std::string name;
  double strength;
};

/// "NAME" or "NAME:STRENGTH"; without a strength it is 0.5, as for a second pass. Throws Error{usage} where there is no
/// name, and for a strength beyond 0 to 1.
Stage parse_stage(const std::string& text);

/// The job of a second model that goes on from what `first` made: its prompts with their embeddings and LoRAs, its seed
/// and the machine it ran on. Sizes and batch are the latent's; steps, sampler, schedule and guidance are the first
/// model's alone.
Job stage_job(const Job& first, const Stage& second);

}  // namespace lapis::core
