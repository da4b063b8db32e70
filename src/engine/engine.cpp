#include "lapis/engine.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <c10/core/InferenceMode.h>
#include <chrono>
#include <cstring>
#include <exception>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/families.hpp"
#include "core/samplers/sample.hpp"
#include "core/time_scale.hpp"
#include "engine/adapter.hpp"
#include "engine/denoiser.hpp"
#include "engine/device.hpp"
#include "engine/noise.hpp"
#include "engine/part.hpp"
#include "engine/vae.hpp"
#include "lapis/error.hpp"

namespace lapis::engine {
namespace {

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// The line of libtorch's text that says what happened: the last one of an interpreter's trace, else the first.
std::string gist(const std::string& text) {
  constexpr std::string_view mark = "RuntimeError: ";
  const std::size_t trace = text.rfind(mark);
  const std::string said = trace == std::string::npos ? text : text.substr(trace + mark.size());
  return said.substr(0, said.find('\n'));
}

/// Runs `work` and lets no exception of libtorch's out. What fails inside a graph arrives as a plain runtime_error with
/// a trace, a lack of memory too, so the text has to tell.
template <class Work>
auto translated(const Work& work) {
  const char* const less = "Make the picture smaller (-W, -H)";
  try {
    return work();
  } catch (const Error&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw Error(ErrorKind::device, std::string("too little memory for this job. ") + less);
  } catch (const std::exception& error) {
    const auto* torch = dynamic_cast<const c10::Error*>(&error);
    const std::string text = torch ? torch->what_without_backtrace() : error.what();
    const bool gpu = text.find("CUDA out of memory") != std::string::npos;
    const bool cpu = text.find("DefaultCPUAllocator") != std::string::npos;
    if (gpu || cpu) {
      throw Error(ErrorKind::device, std::string("too little memory for this job. ") + less +
                                         (gpu ? ", use --dtype fp16, or --device cpu" : ""));
    }
    throw Error(ErrorKind::internal, "libtorch failed: " + gist(text));
  }
}

class TorchEngine : public Engine {
 public:
  explicit TorchEngine(Placement placement) : placement_(placement) {}

  void load(const Model& model) override {
    translated([&] { load_parts(model); });
  }

  void render(const RenderRequest& request, const StepCallback& on_step, const PictureCallback& on_picture) override {
    translated([&] { render_all(request, on_step, on_picture); });
  }

 private:
  void load_parts(const Model& model) {
    const Stopwatch watch;
    model_ = model;
    std::future<LoadedPart> decoder = std::async(
        std::launch::async, [&] { return LoadedPart(model.parts.at("vae_decoder"), "vae_decoder", placement_); });
    std::future<std::unique_ptr<Adapter>> adapter =
        std::async(std::launch::async, [&] { return make_adapter(model, placement_); });
    denoiser_.emplace(model.parts.at("denoiser"), "denoiser", placement_);
    adapter_ = adapter.get();
    decoder_.emplace(decoder.get());
    load_seconds_ = watch.seconds();
  }

  void render_all(const RenderRequest& request, const StepCallback& on_step, const PictureCallback& on_picture) {
    const c10::InferenceMode inference;
    const ResolvedJob& job = request.job;
    Timings before = module_seconds();
    Stopwatch loop;
    const std::vector<at::Tensor> conditioning = adapter_->conditioning(request);
    // One picture at a time: its numbers then cannot depend on the batch, memory stays that of one picture, and each is
    // saved as soon as it is there.
    for (int i = 0; i < job.batch; ++i) {
      Rendered rendered;
      rendered.index = i;
      rendered.seed = job.seed + i;
      rendered.device = device_name(placement_);
      rendered.dtype = dtype_name(placement_);
      const at::Tensor latent = denoise(request, conditioning, rendered.seed, [&](int step, int) {
        if (on_step) on_step(i * job.steps + step, job.batch * job.steps);
      });
      const double loop_seconds = loop.seconds();
      const Stopwatch pixels;
      rendered.latent = to_latent(latent);
      rendered.image = picture(latent);
      rendered.timings = spent_since(before, loop_seconds, pixels.seconds());
      rendered.timings.load = std::exchange(load_seconds_, 0.0);
      on_picture(rendered);
      before = module_seconds();
      loop = Stopwatch();
    }
  }

  Timings module_seconds() const {
    Timings timings;
    timings.text_encoder = adapter_->seconds();
    timings.denoiser = denoiser_->seconds();
    timings.vae_decoder = decoder_->seconds();
    return timings;
  }

  /// Splits the seconds of one picture into module calls and the rest.
  Timings spent_since(const Timings& before, double loop_seconds, double pixel_seconds) const {
    Timings timings = module_seconds();
    timings.text_encoder -= before.text_encoder;
    timings.denoiser -= before.denoiser;
    timings.vae_decoder -= before.vae_decoder;
    timings.sampler = loop_seconds - timings.text_encoder - timings.denoiser;
    timings.pixels = pixel_seconds - timings.vae_decoder;
    return timings;
  }

  /// The finished latent [1, C, h, w] of one seed, on the CPU.
  template <class OnStep>
  at::Tensor denoise(const RenderRequest& request, const std::vector<at::Tensor>& conditioning, std::int64_t seed,
                     const OnStep& on_step) {
    const Space& space = model_.space;
    const ResolvedJob& job = request.job;
    Noise source(seed);
    const auto noise = [&] {
      return source.draw(space.channels, job.height / space.downscale, job.width / space.downscale)
          .to(placement_.device);
    };
    const core::TimeScale times(model_.sampling);
    const Denoiser denoiser(*denoiser_, model_.sampling.prediction, core::token_side(model_) / space.downscale,
                            request.schedule, times, conditioning, guidance_of(job, request.schedule));
    const core::Course course{request.schedule.sigmas, path_of(model_.sampling.prediction), job.eta.value_or(0),
                              &times};
    const at::Tensor start = noise() * request.schedule.initial_noise;
    const at::Tensor latent =
        core::sample(core::find_sampler(job.sampler).sampler, denoiser, start, course, noise, on_step).to(at::kCPU);
    if (is_finite(latent)) return latent;
    throw Error(ErrorKind::numeric,
                "denoising gave NaN or Inf; nothing was saved. Try --dtype fp32, a lower --guidance "
                "or more --steps");
  }

  /// Latent [1, C, h, w] to pixels. A decoder that overflows in half precision gets a second try in fp32.
  Image picture(const at::Tensor& latent) {
    at::Tensor decoded = decode(*decoder_, model_.space, latent);
    if (!is_finite(decoded) && placement_.dtype != at::kFloat) {
      decoder_.emplace(model_.parts.at("vae_decoder"), "vae_decoder", Placement{placement_.device, at::kFloat});
      decoded = decode(*decoder_, model_.space, latent);
    }
    return to_image(decoded);
  }

  Latent to_latent(const at::Tensor& values) const {
    Latent latent;
    latent.space = model_.space;
    const at::Tensor plain = values.contiguous();
    for (std::size_t i = 0; i < 4; ++i) latent.shape[i] = plain.size(static_cast<std::int64_t>(i));
    latent.values.resize(static_cast<std::size_t>(plain.numel()));
    std::memcpy(latent.values.data(), plain.const_data_ptr(), plain.nbytes());
    return latent;
  }

  Placement placement_;
  Model model_;
  std::unique_ptr<Adapter> adapter_;
  std::optional<LoadedPart> denoiser_;
  std::optional<LoadedPart> decoder_;
  double load_seconds_ = 0;
};

}  // namespace
}  // namespace lapis::engine

extern "C" __attribute__((visibility("default"))) lapis::Engine* lapis_make_engine(const lapis::EngineOptions& options,
                                                                                   int* error_kind,
                                                                                   std::string* error_text) {
  try {
    return new lapis::engine::TorchEngine(lapis::engine::choose_placement(options));
  } catch (const lapis::Error& error) {
    *error_kind = static_cast<int>(error.kind());
    *error_text = error.what();
  } catch (const std::exception& error) {
    *error_kind = static_cast<int>(lapis::ErrorKind::internal);
    *error_text = error.what();
  }
  return nullptr;
}
