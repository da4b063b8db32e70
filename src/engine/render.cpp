#include "engine/render.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <c10/core/InferenceMode.h>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "core/families.hpp"
#include "core/resize.hpp"
#include "core/samplers/sample.hpp"
#include "core/strength.hpp"
#include "core/time_scale.hpp"
#include "engine/denoiser.hpp"
#include "engine/device.hpp"
#include "engine/failure.hpp"
#include "engine/masked.hpp"
#include "engine/noise.hpp"
#include "engine/stopwatch.hpp"
#include "engine/tiles.hpp"
#include "engine/vae.hpp"
#include "lapis/error.hpp"

namespace lapis::engine {
namespace {

/// One walk over a schedule: what is the same for all pictures of a request.
struct Pass {
  int width = 0;
  int height = 0;
  Schedule schedule;  ///< what is left of it for the strength
  bool from_noise = true;
  std::vector<at::Tensor> conditioning;

  int steps() const { return static_cast<int>(schedule.timesteps.size()); }
};

/// What a walk begins from and, with a mask, goes back to.
struct Start {
  at::Tensor latent;
  at::Tensor original;
  at::Tensor noise;
};

/// Adds the seconds of its life to a sum.
class Timed {
 public:
  explicit Timed(double& sum) : sum_(sum) {}
  ~Timed() { sum_ += watch_.seconds(); }
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;

 private:
  double& sum_;
  Stopwatch watch_;
};

class Rendering {
 public:
  Rendering(Parts& parts, const RenderRequest& request, const StepCallback& on_step)
      : parts_(parts),
        request_(request),
        job_(request.job),
        on_step_(on_step),
        before_(parts.module_seconds()),
        loaded_before_(parts.take_load_seconds()) {}

  void run(const PictureCallback& on_picture) {
    const c10::InferenceMode inference;
    if (request_.image || job_.hires) parts_.expect_encoder();
    plan();
    if (request_.image) moments_ = encoded(*request_.image);
    if (!job_.hires) release(&Parts::release_encoder);
    // One picture at a time: its numbers then cannot depend on the batch, memory stays that of one picture, and each is
    // saved as soon as it is there.
    for (int i = 0; i < job_.batch; ++i) {
      Rendered rendered = picture(i);
      rendered.timings = spent();
      on_picture(rendered);
      watch_ = Stopwatch();
      pixel_seconds_ = 0;
    }
  }

 private:
  /// The passes of every picture, and the last use of the text encoders.
  void plan() {
    Pass first{job_.width, job_.height, request_.schedule, !request_.image, parts_.adapter().conditioning(request_)};
    if (request_.image) {
      first.schedule = core::rest_of(request_.schedule, core::skipped_steps(job_.steps, *job_.strength, path()));
      first.from_noise = request_.mask && *job_.strength == 1;
    }
    passes_.push_back(std::move(first));
    if (job_.hires) {
      RenderRequest larger = request_;
      larger.job.width = job_.hires_width;
      larger.job.height = job_.hires_height;
      const bool own_size = job_.original_size == PixelSize{job_.width, job_.height};
      if (own_size) larger.job.original_size = {job_.hires_width, job_.hires_height};
      const int skipped = core::skipped_steps(*job_.hires_steps, *job_.hires_strength, path());
      passes_.push_back({job_.hires_width, job_.hires_height, core::rest_of(*request_.hires_schedule, skipped), false,
                         parts_.adapter().conditioning(larger)});
    }
    release(&Parts::release_adapter);
    for (const Pass& pass : passes_) steps_ += pass.steps();
  }

  Rendered picture(int index) {
    Rendered rendered;
    rendered.index = index;
    rendered.seed = job_.seed + index;
    rendered.device = device_name(parts_.placement());
    rendered.dtype = dtype_name(parts_.placement());
    Noise noise(rendered.seed);
    at::Tensor latent;
    for (const Pass& pass : passes_) {
      Start start;
      if (latent.defined()) {
        const Image larger = enlarged(decoded(latent), pass);
        start.original = sampled(encoded(larger), parts_.model().space, noise);
      } else if (moments_) {
        start.original = sampled(*moments_, parts_.model().space, noise);
      }
      begin(pass, noise, start);
      latent = walked(pass, start, noise);
    }
    if (index + 1 == job_.batch) {
      release(&Parts::release_denoiser);
      release(&Parts::release_encoder);
    }
    rendered.latent = to_latent(latent);
    rendered.image = decoded(latent);
    if (request_.mask && job_.mask_paste == "on") {
      const Timed timed(pixel_seconds_);
      rendered.image = core::pasted(*request_.image, std::move(rendered.image), *request_.mask);
    }
    return rendered;
  }

  /// Draws the noise of a pass and lays it over what the pass begins from.
  void begin(const Pass& pass, Noise& noise, Start& start) const {
    const Space& space = parts_.model().space;
    start.noise = noise.draw({1, space.channels, pass.height / space.downscale, pass.width / space.downscale});
    const double sigma = pass.schedule.sigmas.front();
    const double signal = core::signal_at(sigma, path());
    start.latent =
        pass.from_noise ? start.noise * pass.schedule.initial_noise : signal * start.original + sigma * start.noise;
  }

  /// The finished latent [1, C, h, w] of a pass, on the CPU.
  at::Tensor walked(const Pass& pass, const Start& start, Noise& noise) {
    const at::Device device = parts_.placement().device;
    const Model& model = parts_.model();
    const core::TimeScale times(model.sampling);
    const Denoiser denoiser(parts_.denoiser(), model.sampling.prediction,
                            core::token_side(model) / model.space.downscale, pass.schedule, times, pass.conditioning,
                            guidance_of(job_, pass.schedule));
    const core::Course course{pass.schedule.sigmas, path(), job_.eta.value_or(0), &times};
    const auto fresh = [&] { return noise.draw(start.noise.sizes()).to(device); };
    const auto after_step = [&](int, int) {
      ++done_;
      if (on_step_) on_step_(done_, job_.batch * steps_);
    };
    const auto walk = [&](auto&& denoise) {
      return core::sample(core::find_sampler(job_.sampler).sampler, denoise, start.latent.to(device), course, fresh,
                          after_step);
    };
    at::Tensor latent;
    if (request_.mask) {
      latent =
          walk(MaskedDenoiser([&](const at::Tensor& x, double sigma) { return denoiser(x, sigma); },
                              start.original.to(device), start.noise.to(device),
                              cell_weights(*request_.mask, model.space.downscale, device), path(), pass.from_noise));
    } else {
      latent = walk(denoiser);
    }
    latent = latent.to(at::kCPU);
    if (is_finite(latent)) return latent;
    throw Error(ErrorKind::numeric,
                "denoising gave NaN or Inf; nothing was saved. Try --dtype fp32, a lower --guidance "
                "or more --steps");
  }

  /// Runs `work(tiled)`; where "auto" has it whole and memory runs out, once more in tiles.
  template <class Work>
  auto whole_or_tiled(int height, int width, const Work& work) {
    const int downscale = parts_.model().space.downscale;
    const bool tiled = wants_tiles(job_.vae_tiling, height / downscale, width / downscale);
    if (tiled || job_.vae_tiling != "auto") return work(tiled);
    try {
      return work(false);
    } catch (...) {
      if (!is_lack_of_memory()) throw;
    }
    return work(true);
  }

  /// Latent [1, C, h, w] to pixels. A decoder that overflows in half precision gets a second try in fp32.
  Image decoded(const at::Tensor& latent) {
    const Space& space = parts_.model().space;
    const auto height = static_cast<int>(latent.size(2)) * space.downscale;
    const auto width = static_cast<int>(latent.size(3)) * space.downscale;
    const auto through = [&](LoadedPart& decoder) {
      const Timed timed(pixel_seconds_);
      return whole_or_tiled(height, width, [&](bool tiled) { return decode(decoder, space, latent, tiled); });
    };
    at::Tensor picture = through(parts_.decoder());
    if (!is_finite(picture) && parts_.decoder().placement().dtype != at::kFloat) {
      picture = through(parts_.decoder_in_fp32());
    }
    const Timed timed(pixel_seconds_);
    return to_image(picture);
  }

  /// Pixels to moments, with the same second try.
  Moments encoded(const Image& image) {
    const Space& space = parts_.model().space;
    const auto through = [&](LoadedPart& encoder) {
      const Timed timed(pixel_seconds_);
      return whole_or_tiled(image.height, image.width,
                            [&](bool tiled) { return encode(encoder, space, image, tiled); });
    };
    Moments moments = through(parts_.encoder());
    if (is_finite(moments.mean) && is_finite(moments.deviation)) return moments;
    if (parts_.encoder().placement().dtype != at::kFloat) moments = through(parts_.encoder_in_fp32());
    if (is_finite(moments.mean) && is_finite(moments.deviation)) return moments;
    throw Error(ErrorKind::numeric, "encoding the picture gave NaN or Inf; nothing was saved. Try --dtype fp32");
  }

  Image enlarged(Image image, const Pass& pass) {
    const Timed timed(pixel_seconds_);
    return core::rgb_image(
        core::resized(core::pixels_of(std::move(image)), pass.width, pass.height, core::Filter::lanczos));
  }

  Latent to_latent(const at::Tensor& values) const {
    Latent latent;
    latent.space = parts_.model().space;
    const at::Tensor plain = values.contiguous();
    for (std::size_t i = 0; i < 4; ++i) latent.shape[i] = plain.size(static_cast<std::int64_t>(i));
    latent.values.resize(static_cast<std::size_t>(plain.numel()));
    std::memcpy(latent.values.data(), plain.const_data_ptr(), plain.nbytes());
    return latent;
  }

  Path path() const { return path_of(parts_.model().sampling.prediction); }

  void release(void (Parts::*part)()) {
    if (!request_.keep_parts) (parts_.*part)();
  }

  /// Splits the seconds since the last picture into module calls and the rest.
  Timings spent() {
    const Timings now = parts_.module_seconds();
    Timings timings;
    timings.text_encoder = now.text_encoder - before_.text_encoder;
    timings.vae_encoder = now.vae_encoder - before_.vae_encoder;
    timings.denoiser = now.denoiser - before_.denoiser;
    timings.vae_decoder = now.vae_decoder - before_.vae_decoder;
    before_ = now;
    const double loaded = parts_.take_load_seconds();
    const double vae = timings.vae_encoder + timings.vae_decoder;
    timings.load = std::exchange(loaded_before_, 0.0) + loaded;
    timings.sampler = watch_.seconds() - loaded - timings.text_encoder - timings.denoiser - pixel_seconds_;
    timings.pixels = pixel_seconds_ - vae;
    return timings;
  }

  Parts& parts_;
  const RenderRequest& request_;
  const ResolvedJob& job_;
  const StepCallback& on_step_;
  std::vector<Pass> passes_;
  std::optional<Moments> moments_;  ///< of the picture to start from
  int steps_ = 0;                   ///< of one picture
  int done_ = 0;                    ///< of all
  Timings before_;
  double loaded_before_;      ///< seconds of loading before this request
  double pixel_seconds_ = 0;  ///< in and around the VAE, its module calls included
  Stopwatch watch_;
};

}  // namespace

void render(Parts& parts, const RenderRequest& request, const StepCallback& on_step,
            const PictureCallback& on_picture) {
  Rendering(parts, request, on_step).run(on_picture);
}

}  // namespace lapis::engine
