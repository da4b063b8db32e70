#include "pipeline/route_target.hpp"

#include <string>

#include "core/family/families.hpp"
#include "io/latent/latent_file.hpp"

namespace lapis::pipeline {

core::RouteTarget route_target(const Model& model) {
  core::RouteTarget target;
  target.name = model.name;
  target.space = model.space;
  target.vae_sha256 = io::vae_digest(model);
  target.has_vae = [model](const std::string& digest) { return io::has_vae(model, digest); };
  target.size_multiple = core::find_family(model.family)->size_multiple;
  target.path = path_of(model.sampling.prediction);
  return target;
}

core::RouteTarget decoder_target(const Model& model) {
  core::RouteTarget target = route_target(model);
  target.size_multiple = 1;
  return target;
}

core::Available available(const Model* own, const Model* target) {
  return {own != nullptr && own->parts.contains("vae_decoder"),
          target != nullptr && target->parts.contains("vae_encoder")};
}

}  // namespace lapis::pipeline
