#include "lapis/engine.hpp"

#include <ATen/Parallel.h>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>

#include "engine/device.hpp"
#include "engine/failure.hpp"
#include "engine/latents.hpp"
#include "engine/parts.hpp"
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
    const std::string count = std::to_string(faults.count) + (faults.count == 1 ? " tensor is" : " tensors are");
    throw Error(ErrorKind::model,
                "model " + model.name + " can draw nothing: " + count + " not finite. " + faults.first + ".",
                "Take another checkpoint, or this one in another precision.");
  }
}

class TorchEngine : public Engine {
 public:
  explicit TorchEngine(Placement placement) : parts_(placement) {}

  EngineOptions chosen() const override {
    return {device_name(parts_.placement()), dtype_name(parts_.placement()), at::get_num_threads()};
  }

  void load(const Model& model) override {
    guarded([&] {
      parts_.use(model);
      parts_.ensure(parts_to_draw(model));
    });
  }

  void use(const Model& model) override {
    guarded([&] { parts_.use(model); });
  }

  Decoded decode(const Latent& latent, const std::string& tiling, bool any_space) override {
    Decoded result;
    guarded(
        [&] { blaming_weights(parts_.model(), [&] { result = engine::decoded(parts_, latent, tiling, any_space); }); });
    return result;
  }

  Encoded encode(const Image& image, const std::string& tiling, std::optional<std::uint64_t> seed) override {
    Encoded result;
    guarded([&] { blaming_weights(parts_.model(), [&] { result = engine::encoded(parts_, image, tiling, seed); }); });
    return result;
  }

  void render(const RenderRequest& request, const StepCallback& on_step, const PictureCallback& on_picture) override {
    guarded([&] { blaming_weights(parts_.model(), [&] { engine::render(parts_, request, on_step, on_picture); }); });
  }

  ProbeResult probe_part(const Part& part, const std::string& name, const std::vector<ProbeInput>& inputs) override {
    ProbeResult result;
    guarded([&] {
      if (!on_trial_ || part.graph != trial_graph_ || part.inputs.size() != trial_inputs_) {
        on_trial_.reset();
        Part bare = part;
        bare.outputs.clear();  // how many there are is what the trial is to tell
        on_trial_.emplace(bare, name, parts_.placement());
        trial_graph_ = part.graph;
        trial_inputs_ = part.inputs.size();
      }
      result = tried(*on_trial_, inputs);
    });
    return result;
  }

 private:
  Parts parts_;
  std::optional<LoadedPart> on_trial_;
  std::filesystem::path trial_graph_;
  std::size_t trial_inputs_ = 0;
};

}  // namespace
}  // namespace lapis::engine

extern "C" __attribute__((visibility("default"))) lapis::Engine* lapis_make_engine(const lapis::EngineOptions& options,
                                                                                   std::optional<lapis::Error>* error) {
  lapis::Engine* engine = nullptr;
  try {
    lapis::engine::guarded([&] { engine = new lapis::engine::TorchEngine(lapis::engine::choose_placement(options)); });
  } catch (const lapis::Error& thrown) {
    error->emplace(thrown);
  }
  return engine;
}
