#include "lapis/engine.hpp"

#include <exception>
#include <string>

#include "engine/device.hpp"
#include "engine/failure.hpp"
#include "engine/latents.hpp"
#include "engine/parts.hpp"
#include "engine/render.hpp"
#include "lapis/error.hpp"

namespace lapis::engine {
namespace {

class TorchEngine : public Engine {
 public:
  explicit TorchEngine(Placement placement) : parts_(placement) {}

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

 private:
  Parts parts_;
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
