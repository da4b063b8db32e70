// The way of a latent into another space, for people.
#pragma once

#include <string>

#include "core/latent/route.hpp"
#include "pipeline/handoff.hpp"

namespace lapis::cli {

/// A route on stdout: verdict, reason, steps and cost; `batch` of a latent of several pictures.
void print_route(const std::string& file, const core::Route& route, bool batch);

/// The way that a latent takes to a model.
void print_route(const pipeline::HandoffPlan& handoff);

}  // namespace lapis::cli
