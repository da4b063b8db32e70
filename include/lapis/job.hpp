// One request, every field once. The only thing that passes from a command line to the engine.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lapis/prompt.hpp"
#include "lapis/sampling.hpp"

namespace lapis {

/// A part of the way from noise to picture, in fractions of the steps: from 0, the noise, to 1, the picture.
struct Interval {
  double from = 0;
  double to = 1;

  bool operator==(const Interval&) const = default;
};

/// A picture's sides in pixels.
struct PixelSize {
  int width = 0;
  int height = 0;

  bool operator==(const PixelSize&) const = default;
};

/// A place in a picture: pixels from its left and its upper edge.
struct PixelOffset {
  int x = 0;
  int y = 0;

  bool operator==(const PixelOffset&) const = default;
};

/// What the user asked for; docs/cli.md says what each field means and takes. An empty field takes the model's default.
struct Job {
  std::string prompt;
  std::string negative_prompt;
  std::optional<std::string> prompt_syntax;
  std::optional<std::int64_t> clip_skip;
  std::vector<std::string> embeddings;  ///< "FILE", "NAME=FILE" or a folder of such files
  std::vector<std::string> loras;       ///< "FILE" or "FILE:WEIGHT", a file or the name of one
  std::string model;                    ///< a name or a folder
  std::optional<std::int64_t> width;
  std::optional<std::int64_t> height;
  std::optional<std::int64_t> steps;
  std::optional<double> guidance;
  std::optional<std::string> guidance_interval;  ///< two numbers with a comma between
  std::optional<double> guidance_rescale;
  std::optional<double> true_guidance;
  std::optional<std::uint64_t> seed;  ///< of the first picture; picture i has seed + i; none: a random one
  std::optional<std::int64_t> batch;  ///< how many pictures
  std::optional<std::string> sampler;
  std::optional<std::string> schedule;
  std::optional<std::string> spacing;
  std::optional<std::string> zero_snr;
  std::optional<std::string> sigmas;  ///< falling numbers with commas between
  std::optional<double> shift;
  std::optional<double> eta;
  std::optional<std::string> original_size;  ///< "1024x768"
  std::optional<std::string> crop;           ///< "0,0": x, y
  std::optional<std::string> image;          ///< a file, "-" for stdin
  std::optional<std::string> init_latent;    ///< a latent file, "-" for stdin, instead of an image
  std::optional<std::int64_t> stop_at;       ///< steps after which the run is left partially denoised
  std::optional<std::string> fit;
  std::optional<double> strength;
  std::optional<std::string> mask;  ///< a file
  std::optional<std::string> mask_paste;
  std::optional<double> hires;
  std::optional<double> hires_strength;
  std::optional<std::int64_t> hires_steps;
  std::optional<std::string> then;  ///< a second model that goes on, "MODEL" or "MODEL:STRENGTH"
  std::optional<std::string> vae_tiling;
  std::optional<std::string> device;
  std::optional<std::string> dtype;
  std::optional<std::string> vae_dtype;
  std::optional<std::int64_t> threads;
  std::vector<std::string> lora_dirs;      ///< folders in which LoRAs are found by name
  bool no_convert = false;                 ///< refuse a latent that would have to be decoded and encoded
  bool measure = false;                    ///< decode what was encoded, and compare
  bool compensate = false;                 ///< shift colours against the drift of a VAE
  std::optional<std::string> space;        ///< of the latent to start from, where its file does not say it
  std::optional<std::string> init_units;   ///< of the latent to start from: "model" or "vae"
  std::optional<std::string> init_format;  ///< whose convention the latent to start from keeps
  std::optional<std::string> init_size;    ///< of the picture of the latent to start from: "512x768"
  std::optional<std::string> output;       ///< where pictures go, a name with "{seed}" or "{index}"; "-": stdout
  std::optional<std::string> latent;       ///< where latents go; "-": stdout
  bool overwrite = false;                  ///< replace files that exist
  bool skip_existing = false;              ///< leave files that exist as they are, and do no work for them
};

/// A job whose every field is decided and checked against its model.
struct ResolvedJob {
  std::string prompt;
  std::string negative_prompt;
  PromptSyntax prompt_syntax = PromptSyntax::plain;
  int clip_skip = 0;  ///< layers of the CLIP text encoder counted from its end, 1: the last; 0: not used
  std::vector<std::string> embeddings;  ///< names of those that the prompts call, each once
  std::vector<std::string> loras;       ///< "NAME:WEIGHT", but for those that the prompt calls
  int width = 0;
  int height = 0;
  int steps = 0;
  double guidance = 0;                     ///< see `cfg_scale`; where a denoiser reads it, any number at all
  Interval guidance_interval;              ///< the steps that are guided; the others have no negative pass
  double guidance_rescale = 0;             ///< 0 to 1: how far a guided prediction gets the spread of the unguided one
  std::optional<double> true_guidance;     ///< of families whose denoisers read guidance as a number
  std::optional<PixelSize> original_size;  ///< of families with size conditioning
  std::optional<PixelOffset> crop;         ///< of families with size conditioning
  std::uint64_t seed = 0;
  int batch = 1;
  std::string sampler;
  std::string schedule = "own";
  std::optional<Spacing> spacing;             ///< there where the schedule is a model's own and has betas
  std::optional<std::string> zero_snr;        ///< "on" or "off"; there where the model has betas
  std::optional<std::vector<double>> sigmas;  ///< of schedule by_hand, without the 0; none for any other
  std::optional<double> shift;                ///< of a flow model; none for any other
  std::optional<double> eta;                  ///< of a sampler that has one; none for any other
  std::optional<std::string> image;           ///< as in `Job`; there where the job starts from a picture
  std::optional<std::string> init_latent;     ///< as in `Job`; there where the job starts from a latent
  std::optional<int> stop_at;                 ///< 1 to steps - 1, counted from the schedule's start
  std::optional<std::string> fit;             ///< "stretch", "crop" or "pad"; there where there is an image
  std::optional<double> strength;             ///< 0 to 1, the part of the steps that are taken
  std::optional<std::string> mask;            ///< as in `Job`; there where the picture is inpainted
  std::optional<std::string> mask_paste;      ///< "on" or "off": the picture's own pixels outside the mask
  std::optional<double> hires;                ///< above 1; there where a second pass enlarges the picture
  std::optional<double> hires_strength;       ///< 0 to 1; there where `hires` is
  std::optional<int> hires_steps;             ///< there where `hires` is
  std::optional<std::string> then;            ///< "MODEL:STRENGTH"; there where a second model goes on
  int hires_width = 0;                        ///< of the finished picture, 0 without a second pass
  int hires_height = 0;
  std::string vae_tiling;                ///< "auto", "on" or "off"
  std::string device;                    ///< "cpu", "cuda" or "auto"
  std::string dtype;                     ///< "fp32", "bf16", "fp16" or "auto"
  std::optional<std::string> vae_dtype;  ///< of the VAE: "fp32", "bf16" or "fp16"; none: as `dtype`
  int threads = 0;                       ///< 0: one for each physical core
};

/// The weight w of the prompt's pass against the negative's: negative + w (prompt - negative) (Ho and Salimans 2022,
/// "Classifier-Free Diffusion Guidance", equation 6). 1 or less: there is no negative pass.
inline double cfg_scale(const ResolvedJob& job) { return job.true_guidance.value_or(job.guidance); }

}  // namespace lapis
