#include "pipeline/transcode.hpp"

#include <array>
#include <utility>

#include "core/family/families.hpp"
#include "core/family/spaces.hpp"
#include "core/latent/preview.hpp"
#include "core/latent/units.hpp"
#include "core/text/sentence.hpp"
#include "io/latent/latent_file.hpp"
#include "io/model/model_folder.hpp"
#include "lapis/error.hpp"

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

void verify_transcode(const Model& own, const Model& target) {
  io::verify_parts(own, std::array<std::string, 1>{"vae_decoder"});
  io::verify_parts(target, std::array<std::string, 2>{"vae_encoder", "vae_decoder"});
}

const core::LineageRow& colours_of(const std::string& file, const Space& space) {
  if (const core::LineageRow* lineage = core::find_colours(space)) return *lineage;
  throw Error(ErrorKind::incompatible,
              core::sentence("{} is in space {}, and no colours of its channels are known, so there is no preview of "
                             "it.",
                             file, core::space_name(space)),
              core::sentence("Decode it by its VAE: {lapis decode}, without {preview}"));
}

Latent in_space(Latent latent, const Space& space) {
  core::rescale(latent.values, latent.shape, latent.space, space);
  latent.space = space;
  return latent;
}

}  // namespace lapis::pipeline
