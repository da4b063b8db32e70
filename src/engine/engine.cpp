#include "lapis/engine.hpp"

#include <ATen/Parallel.h>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>

#include "core/text/job_limits.hpp"
#include "core/text/sentence.hpp"
#include "engine/device.hpp"
#include "engine/failure.hpp"
#include "engine/latents.hpp"
#include "engine/model_cache.hpp"
#include "engine/probe.hpp"
#include "engine/render.hpp"
#include "io/model/weight_check.hpp"
#include "lapis/error.hpp"

namespace lapis::engine {
namespace {

/// Runs `work`; where it fails for numbers, looks whether the model's weights are why.
template <class Work>
void blaming_weights(const Model& model, const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::numeric) throw;
    const io::WeightFaults faults = io::faults_in_weights(model);
    if (faults.count == 0) throw;
    throw Error(
        ErrorKind::model,
        core::sentence("model {} can draw nothing: {} {} not finite. {}.", model.name,
                       core::count_text(faults.count, "tensor"), faults.count == 1 ? "is" : "are", faults.first),
        "Take another checkpoint, or this one in another precision.");
  }
}

class TorchEngine : public Engine {
 public:
  TorchEngine(const Placements& placements, std::uint64_t keep_bytes)
      : models_(placements, keep_bytes), keep_bytes_(keep_bytes) {}

  EngineOptions chosen() const override {
    const Placement drawing = models_.placements().of(PartKind::denoiser);
    const Placement vae = models_.placements().of(PartKind::vae_decoder);
    return {device_name(drawing), dtype_name(drawing), at::get_num_threads(), dtype_name(vae), keep_bytes_};
  }

  void ensure(const Model& model, const std::vector<PartKind>& parts) override {
    on(model, [&](Parts& loaded) { loaded.ensure(parts); });
  }

  Decoded decode(const Model& model, const Latent& latent, const std::string& tiling, bool any_space) override {
    Decoded result;
    on(model, [&](Parts& parts) { result = engine::decoded(parts, latent, tiling, any_space); });
    return result;
  }

  Encoded encode(const Model& model, const Image& image, const std::string& tiling,
                 std::optional<std::uint64_t> seed) override {
    Encoded result;
    on(model, [&](Parts& parts) { result = engine::encoded(parts, image, tiling, seed); });
    return result;
  }

  RenderEnd render(const Model& model, const RenderRequest& request, const StepCallback& on_step,
                   const PictureCallback& on_picture) override {
    RenderEnd end = RenderEnd::finished;
    on(model, [&](Parts&) { end = engine::render(models_, model, request, on_step, on_picture); });
    return end;
  }

  ProbeResult probe_part(const Part& part, const std::string& name, const std::vector<ProbeInput>& inputs) override {
    ProbeResult result;
    guarded([&] {
      if (!probed_ || part.graph != probed_graph_ || part.inputs.size() != probed_inputs_) {
        probed_.reset();
        Part bare = part;
        bare.outputs.clear();  // how many there are is what the probe is to find
        probed_.emplace(bare, name, models_.placements().of(PartKind::denoiser));
        probed_graph_ = part.graph;
        probed_inputs_ = part.inputs.size();
      }
      result = probe(*probed_, inputs);
    });
    return result;
  }

 private:
  /// Runs `work` on the parts of `model`, and gives back what goes beyond the budget then.
  template <class Work>
  void on(const Model& model, const Work& work) {
    guarded([&] {
      blaming_weights(model, [&] { work(models_.use(model)); });
      models_.trim();
    });
  }

  ModelCache models_;
  std::uint64_t keep_bytes_;
  std::optional<LoadedPart> probed_;
  std::filesystem::path probed_graph_;
  std::size_t probed_inputs_ = 0;
};

}  // namespace
}  // namespace lapis::engine

extern "C" __attribute__((visibility("default"))) lapis::Engine* lapis_make_engine(int abi,
                                                                                   const lapis::EngineOptions& options,
                                                                                   std::optional<lapis::Error>* error) {
  if (abi != lapis::lapis_engine_abi) {
    error->emplace(lapis::ErrorKind::device,
                   lapis::core::sentence("the engine is of another version than the program: its interface has number "
                                         "{}, the program's {}.",
                                         lapis::lapis_engine_abi, abi),
                   "Build or install both from one source");
    return nullptr;
  }
  lapis::Engine* engine = nullptr;
  try {
    lapis::engine::guarded([&] {
      engine = new lapis::engine::TorchEngine(lapis::engine::choose_placements(options), options.keep_bytes);
    });
  } catch (const lapis::Error& thrown) {
    error->emplace(thrown);
  }
  return engine;
}
