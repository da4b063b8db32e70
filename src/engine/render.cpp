#include "engine/render.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <c10/core/InferenceMode.h>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "core/family/families.hpp"
#include "core/job/step_state.hpp"
#include "core/picture/resize.hpp"
#include "core/sampling/samplers/sample.hpp"
#include "core/sampling/schedule_table.hpp"
#include "core/sampling/sigma_time_map.hpp"
#include "core/sampling/strength.hpp"
#include "core/stopwatch.hpp"
#include "core/text/sentence.hpp"
#include "engine/adapter.hpp"
#include "engine/autoencoder.hpp"
#include "engine/denoiser.hpp"
#include "engine/device.hpp"
#include "engine/failure.hpp"
#include "engine/latents.hpp"
#include "engine/masked.hpp"
#include "engine/noise.hpp"
#include "engine/text_encoders.hpp"
#include "engine/vae.hpp"
#include "lapis/error.hpp"

namespace lapis::engine {
namespace {

/// One run over a schedule: what is the same for all pictures of a request.
struct Pass {
  int width = 0;
  int height = 0;
  Schedule schedule;  ///< what is left of it for the strength
  bool from_noise = true;
  std::vector<at::Tensor> conditioning;
  int first = 0;  ///< the steps that are taken, counted from where `schedule` begins
  int last = static_cast<int>(schedule.timesteps.size());

  int steps() const { return last - first; }
};

/// What a run begins from and, with a mask, goes back to.
struct Start {
  at::Tensor latent;
  at::Tensor original;
  at::Tensor noise;
  core::Memory<at::Tensor> memory;  ///< of a run that goes on
};

/// The pictures of the batch that are drawn.
std::vector<int> pictures_of(const RenderRequest& request) {
  if (!request.pictures.empty()) return request.pictures;
  std::vector<int> all(static_cast<std::size_t>(request.job.batch));
  std::iota(all.begin(), all.end(), 0);
  return all;
}

/// Ends a request that its caller stops, from wherever it is.
struct Stopped {};

class Rendering {
 public:
  Rendering(ModelCache& models, const Model& model, const RenderRequest& request, const StepCallback& on_step)
      : models_(models),
        parts_(models.use(model)),
        request_(request),
        job_(request.job),
        on_step_(on_step),
        vae_(parts_, request.job.vae_tiling),
        pictures_(pictures_of(request)),
        before_(parts_.module_seconds()),
        loaded_before_(parts_.take_load_seconds()) {}

  RenderEnd run(const PictureCallback& on_picture) {
    const c10::InferenceMode inference;
    try {
      draw(on_picture);
    } catch (const Stopped&) {
      return RenderEnd::stopped;
    }
    return RenderEnd::finished;
  }

 private:
  void draw(const PictureCallback& on_picture) {
    if (request_.latent) check_latent(*request_.latent);
    check_stop();
    load();
    plan();
    if (request_.image) moments_ = vae_.encoded(*request_.image);
    if (!job_.hires) models_.done(PartStage::encoding);
    // One picture at a time: its numbers then cannot depend on the batch, memory stays that of one picture, and each is
    // saved as soon as it is there.
    for (const int i : pictures_) {
      Rendered rendered = picture(i);
      rendered.timings = spent();
      call_back(on_picture, rendered);
      watch_ = core::Stopwatch();
      pixel_seconds_ = 0;
    }
  }

  /// Everything that a picture needs at once, side by side; what only latents need, one after the other as it is asked
  /// for, for then the text encoders go before the denoiser comes.
  void load() {
    parts_.attach(request_.attachments);
    if (request_.decodes) parts_.ensure(needed(parts_, parts_to_draw(parts_.model()), request_));
    if (request_.image || job_.hires) parts_.expect(PartKind::vae_encoder);
  }

  void check_stop() const {
    if (request_.stop && call_back(request_.stop)) throw Stopped();
  }

  void check_latent(const Latent& latent) const {
    require_space(latent, parts_.model());
    const int downscale = parts_.model().space.downscale;
    if (latent.shape !=
        std::array<std::int64_t, 4>{job_.batch, latent.shape[1], job_.height / downscale, job_.width / downscale}) {
      throw Error(ErrorKind::internal, "a latent to start from is of another size than its job");
    }
    if (latent.sigma > 0) core::check_step_state({latent.sigma, latent.path, latent.step}, request_.schedule, path());
  }

  /// Whether pictures go on from where a latent stands.
  bool goes_on() const { return request_.latent && request_.latent->sigma > 0; }

  /// The first pass; of its steps those are left out that a picture or a finished latent stands for.
  Pass first_pass() {
    const bool renewed = request_.image || (request_.latent && !goes_on());
    const int skipped = renewed ? core::skipped_steps(job_.steps, *job_.strength, path()) : 0;
    Pass pass{job_.width, job_.height, core::rest_of(request_.schedule, skipped), !request_.image && !request_.latent,
              conditioning(parts_, request_)};
    if (request_.mask && *job_.strength == 1) pass.from_noise = true;
    if (goes_on()) pass.first = request_.latent->step;
    if (job_.stop_at) pass.last = *job_.stop_at - skipped;
    return pass;
  }

  /// The passes of every picture, and the last use of the text encoders.
  void plan() {
    passes_.push_back(first_pass());
    if (job_.hires) {
      RenderRequest larger = request_;
      larger.job.width = job_.hires_width;
      larger.job.height = job_.hires_height;
      const bool own_size = job_.original_size == PixelSize{job_.width, job_.height};
      if (own_size) larger.job.original_size = {job_.hires_width, job_.hires_height};
      const int skipped = core::skipped_steps(*job_.hires_steps, *job_.hires_strength, path());
      passes_.push_back({job_.hires_width, job_.hires_height, core::rest_of(*request_.hires_schedule, skipped), false,
                         conditioning(parts_, larger)});
    }
    models_.done(PartStage::prompt);
    for (const Pass& pass : passes_) steps_ += pass.steps();
  }

  Rendered picture(int index) {
    Rendered rendered;
    rendered.index = index;
    rendered.seed = job_.seed + static_cast<std::uint64_t>(index);
    rendered.device = device_name(parts_.placement(PartKind::denoiser));
    rendered.dtype = dtype_name(parts_.placement(PartKind::denoiser));
    Noise noise(rendered.seed);
    at::Tensor latent;
    core::Memory<at::Tensor> memory;
    for (const Pass& pass : passes_) {
      Start start = latent.defined() ? enlarged(latent, pass, noise) : started(index, noise);
      if (!start.latent.defined()) begin(pass, noise, start);
      latent = denoised(pass, start, noise);
      memory = std::move(start.memory);
    }
    if (index == pictures_.back()) {
      models_.done(PartStage::steps);
      models_.done(PartStage::encoding);
    }
    rendered.latent = latent_of(latent, parts_.model().space);
    if (job_.stop_at) {
      mark_partial(rendered.latent, memory, noise.draws());
    } else if (request_.decodes) {
      rendered.image = shown(latent);
    }
    return rendered;
  }

  /// What the first pass of a picture begins from.
  Start started(int index, Noise& noise) const {
    Start start;
    if (moments_) start.original = sampled(*moments_, parts_.model().space, noise);
    if (!request_.latent) return start;
    const Latent& latent = *request_.latent;
    const at::Tensor given = picture_of(latent.values, latent.shape, index);
    if (!goes_on()) {
      start.original = given;
      return start;
    }
    start.latent = given;
    for (const std::vector<float>& values : latent.memory) {
      start.memory.push_back(picture_of(values, latent.shape, index).to(parts_.placement(PartKind::denoiser).device));
    }
    noise.skip(latent.draws, given.sizes());
    return start;
  }

  /// What a second pass begins from: the picture of the first, made larger.
  Start enlarged(const at::Tensor& latent, const Pass& pass, Noise& noise) {
    Start start;
    start.original = sampled(vae_.encoded(resized(vae_.decoded(latent), pass)), parts_.model().space, noise);
    return start;
  }

  Image resized(Image image, const Pass& pass) {
    const core::Timed timed(pixel_seconds_);
    return core::rgb_image(
        core::resized(core::pixels_of(std::move(image)), pass.width, pass.height, core::Filter::lanczos));
  }

  void mark_partial(Latent& latent, const core::Memory<at::Tensor>& memory, int draws) const {
    latent.sigma = request_.schedule.sigmas[static_cast<std::size_t>(*job_.stop_at)];
    latent.path = path();
    latent.step = *job_.stop_at;
    latent.draws = draws;
    for (const at::Tensor& values : memory) latent.memory.push_back(values_of(values));
  }

  Image shown(const at::Tensor& latent) {
    Image image = vae_.decoded(latent);
    if (!request_.mask || job_.mask_paste != "on") return image;
    const core::Timed timed(pixel_seconds_);
    return core::pasted(*request_.image, std::move(image), *request_.mask);
  }

  /// Draws the noise of a pass and lays it over what the pass begins from.
  void begin(const Pass& pass, Noise& noise, Start& start) const {
    const Space& space = parts_.model().space;
    start.noise = noise.draw({1, space.channels, pass.height / space.downscale, pass.width / space.downscale});
    const double sigma = pass.schedule.sigmas.front();
    const double alpha = core::alpha_of(path(), sigma);
    start.latent =
        pass.from_noise ? start.noise * pass.schedule.initial_noise : alpha * start.original + sigma * start.noise;
  }

  /// The latent [1, C, h, w] at the end of a pass, on the CPU; `start` is left with what the sampler remembers.
  at::Tensor denoised(const Pass& pass, Start& start, Noise& noise) {
    const at::Device device = parts_.placement(PartKind::denoiser).device;
    const Model& model = parts_.model();
    const core::SigmaTimeMap times(core::sampling_of(job_, model));
    const Denoiser denoiser(parts_.part(PartKind::denoiser), model.sampling.prediction,
                            core::token_side(model) / model.space.downscale, pass.schedule, times, pass.conditioning,
                            guidance_of(job_, pass.schedule));
    const core::SamplerContext context{pass.schedule.sigmas, path(),   job_.eta.value_or(0), &times,
                                       pass.first,           pass.last};
    const auto fresh = [&] { return noise.draw(start.latent.sizes()).to(device); };
    check_stop();
    const int before = done_;
    const auto after_step = [&](int done, int) {
      done_ = before + done - pass.first;
      if (on_step_) call_back(on_step_, done_, static_cast<int>(pictures_.size()) * steps_);
      check_stop();
    };
    const auto run = [&](auto&& denoise) {
      return core::sample(core::find_sampler(job_.sampler), denoise, start.latent.to(device), context, start.memory,
                          fresh, after_step);
    };
    at::Tensor latent;
    if (request_.mask) {
      latent =
          run(MaskedDenoiser([&](const at::Tensor& x, double sigma) { return denoiser(x, sigma); },
                             start.original.to(device), start.noise.to(device),
                             cell_weights(*request_.mask, model.space.downscale, device), path(), pass.from_noise));
    } else {
      latent = run(denoiser);
    }
    done_ = before + pass.steps();
    latent = latent.to(at::kCPU);
    if (is_finite(latent)) return latent;
    throw Error(
        ErrorKind::numeric,
        core::sentence(
            "denoising gave NaN or Inf; nothing was saved. Try {dtype} fp32, a lower {guidance} or more {steps}"));
  }

  Path path() const { return path_of(parts_.model().sampling.prediction); }

  /// Splits the seconds since the last picture into module calls and the rest.
  Timings spent() {
    const Timings now = parts_.module_seconds();
    Timings timings;
    for (std::size_t i = 0; i < now.parts.size(); ++i) timings.parts[i] = now.parts[i] - before_.parts[i];
    double modules = 0;  // all but the VAE's, which count among the pixels'
    double vae = 0;
    for (const PartKindRow& row : part_kinds) {
      const bool in_pixels = row.stage == PartStage::encoding || row.stage == PartStage::decoding;
      (in_pixels ? vae : modules) += timings.of(row.kind);
    }
    before_ = now;
    const double loaded = parts_.take_load_seconds();
    pixel_seconds_ += vae_.take_seconds();
    timings.load = std::exchange(loaded_before_, 0.0) + loaded;
    timings.sampler = watch_.seconds() - loaded - modules - pixel_seconds_;
    timings.pixels = pixel_seconds_ - vae;
    return timings;
  }

  ModelCache& models_;
  Parts& parts_;
  const RenderRequest& request_;
  const ResolvedJob& job_;
  const StepCallback& on_step_;
  Autoencoder vae_;
  std::vector<int> pictures_;  ///< that are drawn
  std::vector<Pass> passes_;
  std::optional<Moments> moments_;  ///< of the picture to start from
  int steps_ = 0;                   ///< of one picture
  int done_ = 0;                    ///< of all
  Timings before_;
  double loaded_before_;      ///< seconds of loading before this request
  double pixel_seconds_ = 0;  ///< in and around the VAE, its module calls included
  core::Stopwatch watch_;
};

}  // namespace

RenderEnd render(ModelCache& models, const Model& model, const RenderRequest& request, const StepCallback& on_step,
                 const PictureCallback& on_picture) {
  return Rendering(models, model, request, on_step).run(on_picture);
}

}  // namespace lapis::engine
