// The door to libtorch. The program does not link it: `liblapis_engine.so` is opened on first need and hands out one
// `Engine` through one C function.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lapis/attachments.hpp"
#include "lapis/error.hpp"
#include "lapis/image.hpp"
#include "lapis/job.hpp"
#include "lapis/latent.hpp"
#include "lapis/model.hpp"
#include "lapis/probe.hpp"
#include "lapis/prompt.hpp"
#include "lapis/sampling.hpp"
#include "lapis/timings.hpp"

namespace lapis {

/// What to render: a checked job, its tokens and its schedule.
struct RenderRequest {
  ResolvedJob job;
  Schedule schedule;
  Attachments attachments;                  ///< embeddings that the prompts call, LoRAs
  std::map<std::string, Tokens> prompt;     ///< by the tokenizer's name in the model: "tokenizer", "tokenizer_2"
  std::map<std::string, Tokens> negative;   ///< as many chunks each; not read where cfg_scale(job) <= 1
  std::map<std::string, TokenChunk> empty;  ///< the empty prompt, which the weights of syntax comfy are measured from
  std::optional<Image> image;               ///< of the job's size; there where the job has a strength, or
  std::optional<Latent> latent;             ///< this, of the job's size and batch: finished, or to be walked on
  std::optional<Mask> mask;                 ///< of the job's size; only with an image
  std::optional<Schedule> hires_schedule;   ///< of job.hires_steps, whole; there where the job has a second pass
  bool decodes = true;                      ///< false: latents are all that is wanted
  bool keep_parts = false;                  ///< parts stay in memory for a next request; else each goes once it is done
};

/// One picture and where it came from.
struct Rendered {
  int index = 0;  ///< of the batch
  std::uint64_t seed = 0;
  Latent latent;       ///< [1, C, h, w]; unfinished where the job has a stop_at
  Image image;         ///< empty where nothing was decoded: unfinished, or not wanted
  Timings timings;     ///< of this picture; what was done once for the batch counts to the first
  std::string device;  ///< what "auto" became
  std::string dtype;
};

/// Called after each step, with the steps done and the steps in all (those of both passes, times pictures).
using StepCallback = std::function<void(int done, int all)>;

/// Called with each picture as soon as it is finished.
using PictureCallback = std::function<void(const Rendered& picture)>;

/// Pictures of a latent, in the order of its batch.
struct Decoded {
  std::vector<Image> images;
  Timings timings;
};

/// A latent [1, C, h, w] of a picture, finished, in model units.
struct Encoded {
  Latent latent;
  Timings timings;
};

/// What an engine is made for.
struct EngineOptions {
  std::string device;  ///< "cpu", "cuda", "auto"
  std::string dtype;   ///< "fp32", "bf16", "fp16", "auto"
  int threads = 0;     ///< 0: one for each physical core
};

/// A device with one model on it. Not safe to share between threads. Throws `Error` alone.
class Engine {
 public:
  virtual ~Engine() = default;

  /// What "auto" and 0 became of what it was made for.
  virtual EngineOptions chosen() const = 0;

  /// Loads what a prompt needs: text encoder, denoiser, VAE decoder. `model` must have been verified.
  virtual void load(const Model& model) = 0;

  /// Takes `model` and loads nothing: parts come with the first call that needs them. The files of those that are
  /// needed must have been verified.
  virtual void use(const Model& model) = 0;

  /// The VAE's pictures of a finished latent of the model's space. With `any_space` the numbers are taken as if they
  /// were of the model's space, whatever they say, if only the channels fit. `tiling` is "auto", "on" or "off". Errors
  /// as of `render`, and Error{incompatible} for a latent of another space or an unfinished one.
  virtual Decoded decode(const Latent& latent, const std::string& tiling, bool any_space = false) = 0;

  /// The latent of a picture whose sides are multiples of the space's downscale: the mean of what the VAE's encoder
  /// says, or a sample drawn as diffusers' latent_dist.sample does with a generator of this seed.
  virtual Encoded encode(const Image& image, const std::string& tiling, std::optional<std::uint64_t> seed) = 0;

  /// Prompt to pictures, one after the other: from noise, from request.image or a finished
  /// request.latent noised to where job.strength says, or on from an unfinished one. A latent is of the model's space.
  /// Every picture has a noise generator of its own, which draws first what its VAE encodings sample, then its noise,
  /// pass by pass: as diffusers' pipelines do with one generator a picture. A picture is finite and not flat, or an
  /// Error{numeric} says what went wrong; the pictures before it have then been handed over.
  virtual void render(const RenderRequest& request, const StepCallback& on_step, const PictureCallback& on_picture) = 0;

  /// Runs one part, which belongs to no model yet, on made-up inputs. The part is loaded by its first trial and stays
  /// until a trial of another graph. Throws Error{model} for a graph that is refused, cannot be loaded, or takes
  /// another number of inputs than `part` has; what goes wrong while it runs is the result's fault.
  virtual ProbeResult probe_part(const Part& part, const std::string& name, const std::vector<ProbeInput>& inputs) = 0;
};

/// The one function that liblapis_engine.so exports, under the name `lapis_make_engine`. On failure it returns null and
/// leaves the error in the argument: no exception crosses the C boundary.
using MakeEngine = Engine* (*)(const EngineOptions& options, std::optional<Error>* error);

}  // namespace lapis
