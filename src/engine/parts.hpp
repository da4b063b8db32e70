// The parts of one model: loaded when they are needed, let go when they have done their work.
#pragma once

#include <future>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "engine/adapter.hpp"
#include "engine/part.hpp"
#include "lapis/engine.hpp"
#include "lapis/model.hpp"

namespace lapis::engine {

/// Every part is loaded by the first call that asks for it, and again after it was released. A part goes in a thread of
/// its own, for taking a graph to pieces takes up to 0.1 s. Seconds spent in parts are counted on when they go.
class Parts {
 public:
  explicit Parts(Placement placement) : placement_(placement) {}

  /// Takes `model` and loads nothing.
  void use(const Model& model);

  /// Loads what every picture needs, side by side: text encoders, denoiser, VAE decoder.
  void load(const Model& model);

  /// Begins to load the VAE encoder beside what runs.
  void expect_encoder();

  const Model& model() const { return model_; }
  Placement placement() const { return placement_; }

  Adapter& adapter();
  LoadedPart& denoiser();
  LoadedPart& encoder();
  LoadedPart& decoder();

  /// Loads a part of the VAE anew in fp32, for a picture that overflowed in less.
  LoadedPart& encoder_in_fp32();
  LoadedPart& decoder_in_fp32();

  void release_adapter();
  void release_denoiser();
  void release_encoder();

  /// Seconds of module calls so far, and of loading since the last call.
  Timings module_seconds() const;
  double take_load_seconds();

 private:
  LoadedPart& ensure(std::optional<LoadedPart>& part, const char* name, Placement placement);

  template <class Owner>
  void let_go(Owner& part) {
    if (!part) return;
    going_.push_back(std::async(std::launch::async, [gone = std::exchange(part, {})]() mutable { gone.reset(); }));
  }

  double load_seconds_ = 0;
  Placement placement_;
  Model model_;
  std::unique_ptr<Adapter> adapter_;
  std::optional<LoadedPart> denoiser_;
  std::optional<LoadedPart> encoder_;
  std::optional<LoadedPart> decoder_;
  std::future<LoadedPart> coming_encoder_;
  std::vector<std::future<void>> going_;
  Timings gone_;  ///< of parts that were released
};

}  // namespace lapis::engine
