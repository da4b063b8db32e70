// One request, every field once. The only thing that passes from a command line to the engine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lapis/sampling.hpp"

namespace lapis {

/// A part of the way from noise to picture, in fractions of the steps: from 0, the noise, to 1, the picture.
struct Interval {
  double from = 0;
  double to = 1;

  bool operator==(const Interval&) const = default;
};

/// What the user asked for. An empty field takes the model's default (`core::resolve`).
struct Job {
  std::string prompt;
  std::string negative_prompt;
  std::string model;  ///< a name or a folder
  std::optional<std::int64_t> width;
  std::optional<std::int64_t> height;
  std::optional<std::int64_t> steps;
  std::optional<double> guidance;
  std::optional<std::string> guidance_interval;  ///< two numbers with a comma between
  std::optional<double> guidance_rescale;
  std::optional<std::int64_t> seed;   ///< of the first picture; picture i has seed + i
  std::optional<std::int64_t> batch;  ///< how many pictures
  std::optional<std::string> sampler;
  std::optional<std::string> schedule;
  std::optional<std::string> spacing;
  std::optional<std::string> sigmas;  ///< falling numbers with commas between
  std::optional<double> shift;
  std::optional<double> eta;
  std::optional<std::string> device;
  std::optional<std::string> dtype;
  std::optional<std::int64_t> threads;
};

/// A job whose every field is decided and checked against its model.
struct ResolvedJob {
  std::string prompt;
  std::string negative_prompt;
  int width = 0;
  int height = 0;
  int steps = 0;
  double guidance = 0;          ///< 1 or less: no negative pass
  Interval guidance_interval;   ///< the steps that are guided; the others are walked without a negative pass
  double guidance_rescale = 0;  ///< 0 to 1: how far a guided prediction gets the spread of the unguided one
  std::int64_t seed = 0;
  int batch = 1;
  std::string sampler;
  std::string schedule = "own";
  Spacing spacing = Spacing::leading;  ///< read by the model's own schedule alone
  std::vector<double> sigmas;          ///< of schedule by_hand, without the 0; empty for any other
  std::optional<double> shift;         ///< of a flow model; none for any other
  std::optional<double> eta;           ///< of a sampler that has one; none for any other
  std::string device;                  ///< "cpu", "cuda" or "auto"
  std::string dtype;                   ///< "fp32", "bf16", "fp16" or "auto"
  int threads = 0;                     ///< 0: one for each physical core
};

}  // namespace lapis
