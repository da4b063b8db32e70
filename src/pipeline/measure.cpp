#include "pipeline/measure.hpp"

#include <array>
#include <utility>

#include "core/picture/colour_drift.hpp"
#include "core/picture/patterns.hpp"
#include "core/picture/similarity.hpp"
#include "core/text/sentence.hpp"
#include "io/model/model_folder.hpp"
#include "lapis/error.hpp"
#include "pipeline/encode.hpp"

namespace lapis::pipeline {
namespace {

struct Sample {
  std::string name;
  Image image;
};

/// The user's pictures, brought to size as generate -i does.
std::vector<Sample> read_samples(const Model& model, const std::vector<std::string>& pictures, const Events& events) {
  std::vector<Sample> samples;
  for (const std::string& picture : pictures) {
    const PictureInput input = read_picture({}, picture, model);
    FittedPicture sample = fitted(input.picture, input.job, model.space.downscale);
    for (const std::string& note : sample.notes) tell(events.note, note);
    samples.push_back({picture, std::move(sample.image)});
  }
  return samples;
}

std::vector<Sample> drawn_samples(const Model& model, const Events& events) {
  std::vector<Sample> samples;
  for (const core::PatternRow& row : core::patterns()) {
    samples.push_back({row.name, row.draw(model.defaults.width, model.defaults.height)});
    tell(events.note, core::sentence("{}: {}", row.name, row.description));
  }
  return samples;
}

io::Drift drift_of(Engine& engine, const Model& model, const Sample& sample, const std::string& tiling) {
  const Image& before = sample.image;
  const Encoded encoded = engine.encode(model, before, tiling, std::nullopt);
  const Decoded decoded = engine.decode(model, encoded.latent, tiling);
  const Image& after = decoded.images.front();
  return {sample.name,
          {before.width, before.height},
          core::psnr(before, after),
          core::mean_shift(before, after),
          core::clipped_share(before, after)};
}

}  // namespace

std::vector<io::Drift> measure(const Model& model, const std::vector<std::string>& pictures, const std::string& tiling,
                               EngineDoor& door, const Events& events) {
  const std::array<std::string, 2> parts = {"vae_encoder", "vae_decoder"};
  for (const std::string& part : parts) {
    if (!model.parts.contains(part)) {
      throw Error(ErrorKind::model,
                  core::sentence("{} has no {}, so there is no way through its VAE and back", model.name, part));
    }
  }
  const std::vector<Sample> samples =
      pictures.empty() ? drawn_samples(model, events) : read_samples(model, pictures, events);
  door.begin();
  io::verify_parts(model, parts);
  Engine& engine = door.engine();
  std::vector<io::Drift> drifts;
  for (const Sample& sample : samples) drifts.push_back(drift_of(engine, model, sample, tiling));
  return drifts;
}

}  // namespace lapis::pipeline
