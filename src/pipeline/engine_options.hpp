// What an engine is made for, of a request.
#pragma once

#include "lapis/engine.hpp"
#include "lapis/job.hpp"
#include "pipeline/asked.hpp"

namespace lapis::pipeline {

/// Of a job.
EngineOptions engine_options(const ResolvedJob& job);

/// Of a request without a job. Throws Error{usage} for a name that is none and a number out of its limits.
EngineOptions engine_options(const ComputeOptions& options);

}  // namespace lapis::pipeline
