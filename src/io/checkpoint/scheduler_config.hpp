// The scheduler of a diffusers folder: how its network was trained, and how its makers sample it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lapis/sampling.hpp"

namespace lapis::io {

/// What a scheduler's configuration comes to.
struct SchedulerConfig {
  std::filesystem::path file;      ///< as the user has it
  std::string class_name;          ///< EulerDiscreteScheduler where the folder names none
  SamplingFacts sampling;          ///< within the limits of model.json
  std::string sampler;             ///< a row of samplers(); empty: lapis has none of this class
  std::string schedule = "own";    ///< a row of schedules()
  std::vector<std::string> notes;  ///< what lapis does otherwise, and keys that the class does not read
};

/// scheduler/scheduler_config.json below `folder`; none where there is none. core/sampling/scheduler_classes.hpp says
/// what becomes of each class and key; what the file leaves out is what diffusers takes then. Throws Error{input}, with
/// the file, the key and its value, for what lapis has not, and for numbers out of bounds.
std::optional<SchedulerConfig> read_scheduler(const std::filesystem::path& folder);

}  // namespace lapis::io
