// What is said of a job before it is drawn.
#pragma once

#include <string>
#include <vector>

#include "lapis/engine.hpp"
#include "lapis/job.hpp"
#include "lapis/model.hpp"

namespace lapis::pipeline {

/// An empty prompt, and a size far beyond the model's own.
std::vector<std::string> job_notes(const ResolvedJob& job, const Model& model);

/// Memory that half weights take once a CPU computes with them in fp32, where it is much. Weights that are read as they
/// are cost no memory of this process.
std::vector<std::string> widening_notes(const Model& model, const Engine& engine);

/// Throws Error{device} where the memory of this machine cannot hold a picture of the job's size, whatever its model.
void check_room(const ResolvedJob& job);

}  // namespace lapis::pipeline
