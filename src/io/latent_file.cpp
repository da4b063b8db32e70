#include "io/latent_file.hpp"

#include <map>
#include <span>
#include <string>

#include "core/job_limits.hpp"
#include "io/safetensors.hpp"
#include "lapis/version.hpp"

namespace lapis::io {

void write_latent(const std::filesystem::path& path, const Latent& latent, bool overwrite) {
  const Space& space = latent.space;
  Safetensors content;
  content.tensors["latent"] = {
      Dtype::f32, {latent.shape.begin(), latent.shape.end()}, std::as_bytes(std::span(latent.values))};
  content.metadata = {
      {"format", "lapis.latent.1"},
      {"program", std::string("lapis ") + version},
      {"space", space.id},
      {"channels", std::to_string(space.channels)},
      {"downscale", std::to_string(space.downscale)},
      {"scale", core::number_text(space.scale)},
      {"shift", core::number_text(space.shift)},
      {"lineage", space.lineage},
      {"units", "model"},
      {"sigma", core::number_text(latent.sigma)},
      {"width", std::to_string(latent.shape[3] * space.downscale)},
      {"height", std::to_string(latent.shape[2] * space.downscale)},
  };
  write_safetensors(path, content, overwrite);
}

}  // namespace lapis::io
