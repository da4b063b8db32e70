// A job as somebody asked for it.
#pragma once

#include <set>
#include <string>

#include "lapis/job.hpp"

namespace lapis::pipeline {

/// What is said of a job, and of which of its fields something is said at all.
struct AskedJob {
  Job job;
  std::set<std::string> named;  ///< keys of the fields that it says something of
};

}  // namespace lapis::pipeline
