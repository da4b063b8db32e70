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
#include "lapis/part_kind.hpp"
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
  std::optional<Image> image;               ///< of the job's size; there where the job starts from a picture
  std::optional<Latent> latent;             ///< of the job's size and batch, finished or not; in place of an image
  std::optional<Mask> mask;                 ///< of the job's size; only with an image
  std::optional<Schedule> hires_schedule;   ///< of job.hires_steps, whole; there where the job has a second pass
  bool decodes = true;                      ///< false: latents are all that is wanted
  std::vector<int> pictures;                ///< those of the batch that are drawn, counted from 0, rising; empty: all
  std::function<bool()> stop;               ///< asked first of all, before each pass, after each step; true ends it
};

/// How a request ended.
enum class RenderEnd {
  finished,  ///< every picture was handed over
  stopped,   ///< `RenderRequest::stop` said so; the pictures before it have been handed over
};

/// One picture and where it came from.
struct Rendered {
  int index = 0;  ///< of the batch
  std::uint64_t seed = 0;
  Latent latent;       ///< [1, C, h, w]; partially denoised where the job has a stop_at
  Image image;         ///< empty where nothing was decoded: partially denoised, or not wanted
  Timings timings;     ///< of this picture; what was done once for the batch counts to the first
  std::string device;  ///< "cpu" or "cuda": what "auto" became
  std::string dtype;   ///< "fp32", "bf16" or "fp16": what "auto" became
};

/// Called after each step, with the steps done and the steps in all (those of both passes, times the pictures
/// that are drawn).
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
  std::string device;              ///< "cpu", "cuda", "auto"
  std::string dtype;               ///< "fp32", "bf16", "fp16", "auto"
  int threads = 0;                 ///< 0: one for each physical core
  std::string vae_dtype = "auto";  ///< of the VAE's parts, as `dtype`; "auto": what `dtype` came to
  /// Bytes of weights, mapped ones too, that may stay in memory when their work is done. Beyond them, models go, the
  /// one unused longest first, and then each part of a request as soon as it is done. 0: nothing stays but what
  /// `decode` and `encode` need of the model used last. While a request runs, its own model may take more. What its
  /// text encoders made of the last 16 to 32 pairs of prompts stays with a model, for those that come again.
  std::uint64_t keep_bytes = 0;
};

/// A device with models on it. Not safe to share between threads, nor to be called from its own callbacks. Models are
/// told apart by all that is recorded of them (`Model`'s equality), and their files must have been verified; what a
/// call needs of its model is loaded by it, where it is not there. References are not kept beyond a call. Throws
/// `Error` alone, and what a callback threw as it was; after either the engine is as usable as before.
class Engine {
 public:
  virtual ~Engine() = default;

  /// What "auto" and 0 became of what it was made for.
  virtual EngineOptions chosen() const = 0;

  /// Loads these parts of `model` side by side, before a request needs them; those that are there stay. Throws
  /// Error{model} for a part that the model has not.
  virtual void ensure(const Model& model, const std::vector<PartKind>& parts) = 0;

  /// The VAE's pictures of a finished latent of the model's space. With `any_space` the numbers are taken as if they
  /// were of the model's space, whatever they say, if only the channels fit. `tiling` is "auto", "on" or "off". Errors
  /// as of `render`, and Error{incompatible} for a latent of another space or a partially denoised one.
  virtual Decoded decode(const Model& model, const Latent& latent, const std::string& tiling,
                         bool any_space = false) = 0;

  /// The latent of a picture whose sides are multiples of the space's downscale: the mean of what the VAE's encoder
  /// says, or a sample drawn as diffusers' latent_dist.sample does with a generator of this seed.
  virtual Encoded encode(const Model& model, const Image& image, const std::string& tiling,
                         std::optional<std::uint64_t> seed) = 0;

  /// Prompt to pictures, one after the other: from noise, from request.image or a finished
  /// request.latent noised to where job.strength says, or on from a partially denoised one. A latent is of the model's
  /// space. Every picture has a noise generator of its own, which draws first what its VAE encodings sample, then its
  /// noise, pass by pass: as diffusers' pipelines do with one generator a picture. A picture is finite and not flat, or
  /// an Error{numeric} says what went wrong; the pictures before it have then been handed over. What is loaded stays
  /// where a request was stopped.
  virtual RenderEnd render(const Model& model, const RenderRequest& request, const StepCallback& on_step,
                           const PictureCallback& on_picture) = 0;

  /// Runs one part, which belongs to no model yet, on made-up inputs. The part is loaded by its first probe and stays
  /// until a probe of another graph. Throws Error{model} for a graph that is refused, cannot be loaded, or takes
  /// another number of inputs than `part` has; what goes wrong while it runs is the result's fault.
  virtual ProbeResult probe_part(const Part& part, const std::string& name, const std::vector<ProbeInput>& inputs) = 0;
};

/// Counts every change of what crosses the door: functions of `Engine`, structs that they take and give. std::string
/// and vtables cross it too, so program and engine are built by one compiler.
inline constexpr int lapis_engine_abi = 2;

/// The one function that liblapis_engine.so exports, under the name `lapis_make_engine`. `abi` is the caller's
/// `lapis_engine_abi`; another one than the engine's is refused with Error{device}. The caller owns the engine: it
/// deletes it, or leaves it to the end of the process, which is faster. A process may have several engines; count of
/// threads and flushing of denormal numbers are settings of the process, and the engine that was made last decides
/// them. On failure it returns null and leaves the error in the argument: no exception crosses the C boundary.
using MakeEngine = Engine* (*)(int abi, const EngineOptions& options, std::optional<Error>* error);

}  // namespace lapis
