// One request, every field once. The only thing that passes from a command line to the engine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lapis/prompt.hpp"
#include "lapis/sampling.hpp"

namespace lapis {

/// What the user asked for. An empty field takes the model's default (`core::resolve`).
struct Job {
  std::string prompt;
  std::string negative_prompt;
  std::optional<std::string> prompt_syntax;
  std::optional<std::int64_t> clip_skip;
  std::vector<std::string> embeddings;  ///< "FILE", "NAME=FILE" or a folder of such files
  std::string model;                    ///< a name or a folder
  std::optional<std::int64_t> width;
  std::optional<std::int64_t> height;
  std::optional<std::int64_t> steps;
  std::optional<double> guidance;
  std::optional<std::int64_t> seed;   ///< of the first picture; picture i has seed + i
  std::optional<std::int64_t> batch;  ///< how many pictures
  std::optional<std::string> sampler;
  std::optional<std::string> spacing;
  std::optional<std::string> device;
  std::optional<std::string> dtype;
  std::optional<std::int64_t> threads;
};

/// A job whose every field is decided and checked against its model.
struct ResolvedJob {
  std::string prompt;
  std::string negative_prompt;
  PromptSyntax prompt_syntax = PromptSyntax::plain;
  int clip_skip = 0;  ///< layers of the CLIP text encoder counted from its end, 1: the last; 0: not used
  std::vector<std::string> embeddings;  ///< names of those that the prompts call, each once
  int width = 0;
  int height = 0;
  int steps = 0;
  double guidance = 0;  ///< 1 or less: no negative pass
  std::int64_t seed = 0;
  int batch = 1;
  std::string sampler;
  Spacing spacing = Spacing::leading;
  std::string device;  ///< "cpu", "cuda" or "auto"
  std::string dtype;   ///< "fp32", "bf16", "fp16" or "auto"
  int threads = 0;     ///< 0: one for each physical core
};

}  // namespace lapis
