// How an imported network is sampled: what its files say, what the user says, and what its architecture has.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/checkpoint/sampling_claims.hpp"
#include "io/checkpoint/checkpoint.hpp"
#include "lapis/model.hpp"

namespace lapis::pipeline {

/// What the sampling of a model is decided from.
struct SamplingSources {
  std::optional<std::filesystem::path> folder;  ///< of diffusers
  const io::Checkpoint* denoiser = nullptr;     ///< null: a graph with its weights inside
  std::string weights;                          ///< its name in messages
  std::string title;                            ///< "Stable Diffusion XL"
  core::SamplingWish wish;
};

/// Decides the sampling of `model`, and the sampler and the schedule of its defaults, which have those of its
/// architecture. Throws Error{input} for what lapis has not and for contradictions, Error{incompatible} for a scheduler
/// of another kind of network, Error{usage} for a wish that makes no sense.
void decide_sampling(const SamplingSources& sources, Model& model, std::vector<std::string>& notes);

}  // namespace lapis::pipeline
