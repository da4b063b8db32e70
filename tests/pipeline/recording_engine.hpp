// An engine without libtorch, for the tests of what calls one.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/family/spaces.hpp"
#include "lapis/engine.hpp"

namespace lapis::test {

/// An engine that writes down what it is asked for. Its VAEs are of one colour: a picture is as bright as its latent's
/// first value says, and comes out of the encoder a little darker. What it draws is of level 100.
class RecordingEngine final : public Engine {
 public:
  std::vector<std::string> calls;
  std::string expected_tiling = "on";  ///< of every decode
  bool forced = false;                 ///< every decode takes a latent of any space
  std::optional<std::uint64_t> seed;   ///< of the last encode
  bool draws = false;                  ///< it may be asked to render
  std::vector<RenderRequest> requests;
  std::function<ProbeResult(const std::string& part, const std::vector<ProbeInput>& inputs)> probe;

  EngineOptions chosen() const override { return {"cpu", "fp32", 1}; }
  void ensure(const Model&, const std::vector<PartKind>&) override {
    throw std::logic_error("a part was loaded early");
  }

  Decoded decode(const Model& model, const Latent& latent, const std::string& tiling, bool any_space) override {
    calls.push_back("decode by " + model.name);
    if (any_space != forced || tiling != expected_tiling) throw std::logic_error("decoded in another way than asked");
    if (!any_space && !core::same_numbers(latent.space, model.space))
      throw std::logic_error("decoded by another VAE's numbers");
    Decoded decoded;
    const auto cells = static_cast<std::size_t>(latent.shape[1] * latent.shape[2] * latent.shape[3]);
    for (std::int64_t i = 0; i < latent.shape[0]; ++i) {
      const float level = latent.values[static_cast<std::size_t>(i) * cells];
      const int width = static_cast<int>(latent.shape[3]) * latent.space.downscale;
      const int height = static_cast<int>(latent.shape[2]) * latent.space.downscale;
      const auto sample = static_cast<std::uint8_t>(std::clamp(std::lround(level), 0L, 255L));
      decoded.images.push_back(grey(width, height, sample));
    }
    decoded.timings.of(PartKind::vae_decoder) = 1;
    return decoded;
  }

  Encoded encode(const Model& model, const Image& image, const std::string&,
                 std::optional<std::uint64_t> asked_seed) override {
    calls.push_back("encode by " + model.name);
    seed = asked_seed;
    Encoded encoded;
    const Space& space = model.space;
    encoded.latent.space = space;
    encoded.latent.shape = {1, space.channels, image.height / space.downscale, image.width / space.downscale};
    std::int64_t count = 1;
    for (const std::int64_t side : encoded.latent.shape) count *= side;
    encoded.latent.values.assign(static_cast<std::size_t>(count), static_cast<float>(image.rgb.front()) - 3);
    encoded.timings.of(PartKind::vae_encoder) = 1;
    return encoded;
  }

  RenderEnd render(const Model& model, const RenderRequest& request, const StepCallback& on_step,
                   const PictureCallback& on_picture) override {
    if (!draws) throw std::logic_error("nothing was to be drawn");
    calls.push_back("render by " + model.name);
    requests.push_back(request);
    const ResolvedJob& job = request.job;
    for (int i = 0; i < job.batch; ++i) {
      on_step(i + 1, job.batch);
      Rendered picture{i, job.seed + static_cast<std::uint64_t>(i), {}, {}, {}, "cpu", "fp32"};
      picture.latent.space = model.space;
      picture.latent.shape = {1, model.space.channels, job.height / model.space.downscale,
                              job.width / model.space.downscale};
      std::int64_t count = 1;
      for (const std::int64_t side : picture.latent.shape) count *= side;
      picture.latent.values.assign(static_cast<std::size_t>(count), 100);
      if (request.decodes) picture.image = grey(job.width, job.height, 100);
      picture.timings.of(PartKind::denoiser) = 1;
      on_picture(picture);
    }
    return RenderEnd::finished;
  }

  ProbeResult probe_part(const Part&, const std::string& name, const std::vector<ProbeInput>& inputs) override {
    calls.push_back("probe of " + name);
    return probe ? probe(name, inputs) : ProbeResult{};
  }

  static Image grey(int width, int height, std::uint8_t sample) {
    return {width, height,
            std::vector<std::uint8_t>(std::size_t{3} * static_cast<std::size_t>(width * height), sample)};
  }
};

}  // namespace lapis::test
