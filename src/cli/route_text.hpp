// The way of a latent into another space, for people.
#pragma once

#include <string>

#include "core/latent/verdict.hpp"
#include "pipeline/handoff.hpp"
#include "pipeline/transcode.hpp"

namespace lapis::cli {

/// A ruling on stdout: verdict, reason, route and cost. `options` say what is measured; `batch` where there are several
/// pictures.
void print_route(const std::string& file, const core::Ruling& ruling, const pipeline::CrossingOptions& options,
                 bool batch);

/// The way that a latent takes to a model.
void print_route(const pipeline::Handoff& handoff);

}  // namespace lapis::cli
