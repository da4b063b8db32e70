#include "lapis/engine.hpp"

#include <exception>
#include <filesystem>
#include <optional>
#include <string>

#include "engine/device.hpp"
#include "engine/failure.hpp"
#include "engine/latents.hpp"
#include "engine/parts.hpp"
#include "engine/render.hpp"
#include "engine/trial.hpp"
#include "lapis/error.hpp"

namespace lapis::engine {
namespace {

class TorchEngine : public Engine {
 public:
  explicit TorchEngine(Placement placement) : placement_(placement), parts_(placement) {}

  void load(const Model& model) override {
    guarded([&] { parts_.load(model); });
  }

  void use(const Model& model) override {
    guarded([&] { parts_.use(model); });
  }

  Decoded decode(const Latent& latent, const std::string& tiling, bool any_space) override {
    Decoded result;
    guarded([&] { result = engine::decoded(parts_, latent, tiling, any_space); });
    return result;
  }

  Encoded encode(const Image& image, const std::string& tiling, std::optional<std::int64_t> seed) override {
    Encoded result;
    guarded([&] { result = engine::encoded(parts_, image, tiling, seed); });
    return result;
  }

  void render(const RenderRequest& request, const StepCallback& on_step, const PictureCallback& on_picture) override {
    guarded([&] { engine::render(parts_, request, on_step, on_picture); });
  }

  TrialResult try_part(const Part& part, const std::string& name, const std::vector<TrialInput>& inputs) override {
    TrialResult result;
    guarded([&] {
      if (!on_trial_ || part.graph != trial_graph_ || part.inputs.size() != trial_inputs_) {
        on_trial_.reset();
        Part bare = part;
        bare.outputs.clear();  // how many there are is what the trial is to tell
        on_trial_.emplace(bare, name, placement_);
        trial_graph_ = part.graph;
        trial_inputs_ = part.inputs.size();
      }
      result = tried(*on_trial_, inputs);
    });
    return result;
  }

 private:
  Placement placement_;
  Parts parts_;
  std::optional<LoadedPart> on_trial_;
  std::filesystem::path trial_graph_;
  std::size_t trial_inputs_ = 0;
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
