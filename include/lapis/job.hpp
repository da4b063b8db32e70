// One request, every field once. The only thing that passes from a command line to the engine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "lapis/sampling.hpp"

namespace lapis {

/// What the user asked for. An empty field takes the model's default (`core::resolve`).
struct Job {
  std::string prompt;
  std::string negative_prompt;
  std::string model;  ///< a name or a folder
  std::optional<std::int64_t> width;
  std::optional<std::int64_t> height;
  std::optional<std::int64_t> steps;
  std::optional<double> guidance;
  std::optional<std::int64_t> seed;   ///< of the first picture; picture i has seed + i
  std::optional<std::int64_t> batch;  ///< how many pictures
  std::optional<std::string> sampler;
  std::optional<std::string> spacing;
  std::optional<std::string> image;  ///< a file, "-" for stdin; `take_size` needs its size before `resolve`
  std::optional<std::string> fit;
  std::optional<double> strength;
  std::optional<std::string> mask;  ///< a file
  std::optional<std::string> mask_paste;
  std::optional<double> hires;
  std::optional<double> hires_strength;
  std::optional<std::int64_t> hires_steps;
  std::optional<std::string> vae_tiling;
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
  double guidance = 0;  ///< 1 or less: no negative pass
  std::int64_t seed = 0;
  int batch = 1;
  std::string sampler;
  Spacing spacing = Spacing::leading;
  std::optional<std::string> image;       ///< as in `Job`; there where the job starts from a picture, as are these
  std::optional<std::string> fit;         ///< name of a row of core::fits()
  std::optional<double> strength;         ///< 0 to 1, the part of the steps that are walked
  std::optional<std::string> mask;        ///< as in `Job`; there where a mask says what is drawn anew
  std::optional<std::string> mask_paste;  ///< "on" or "off": the picture's own pixels outside the mask
  std::optional<double> hires;            ///< above 1; there where a second pass enlarges the picture, as are these
  std::optional<double> hires_strength;
  std::optional<int> hires_steps;
  int hires_width = 0;  ///< of the finished picture, 0 without a second pass
  int hires_height = 0;
  std::string vae_tiling;  ///< "auto", "on" or "off"
  std::string device;      ///< "cpu", "cuda" or "auto"
  std::string dtype;       ///< "fp32", "bf16", "fp16" or "auto"
  int threads = 0;         ///< 0: one for each physical core
};

}  // namespace lapis
