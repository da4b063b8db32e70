// What models and VAEs are on the routes of latents.
#pragma once

#include <string>

#include "core/family/spaces.hpp"
#include "core/latent/plan_route.hpp"
#include "lapis/latent.hpp"
#include "lapis/model.hpp"

namespace lapis::pipeline {

/// What a model wants of a latent that is sent to it.
core::RouteTarget route_target(const Model& model);

/// Compares the files of both VAEs that a transcode may need with their recorded digests. Errors as of
/// `io::verify_parts`.
void verify_transcode(const Model& own, const Model& target);

/// The lineage whose colours show values of `space`. Throws Error{incompatible} where none are known; `file` is the
/// latent that is to be shown.
const core::LineageRow& colours_of(const std::string& file, const Space& space);

/// `latent`, finished, in model units of a space with the same raw values.
Latent in_space(Latent latent, const Space& space);

}  // namespace lapis::pipeline
