#include "engine/autoencoder.hpp"

#include "core/stopwatch.hpp"
#include "core/text/sentence.hpp"
#include "engine/failure.hpp"
#include "engine/tiles.hpp"
#include "lapis/error.hpp"

namespace lapis::engine {
namespace {

/// Runs `work(tiled)` over so many cells; where "auto" has it whole and memory runs out, once more in tiles.
template <class Work>
auto whole_or_tiled(const std::string& tiling, std::int64_t height, std::int64_t width, const Work& work) {
  const bool tiled = wants_tiles(tiling, height, width);
  if (tiled || tiling != "auto") return work(tiled);
  try {
    return work(false);
  } catch (...) {
    if (!is_lack_of_memory()) throw;
  }
  return work(true);
}

bool is_finite(const Moments& moments) {
  return engine::is_finite(moments.mean) && engine::is_finite(moments.deviation);
}

}  // namespace

Image Autoencoder::decoded(const at::Tensor& latent) {
  const Space& space = parts_.model().space;
  const auto through = [&](LoadedPart& decoder) {
    const core::Timed timed(seconds_);
    return whole_or_tiled(tiling_, latent.size(2), latent.size(3),
                          [&](bool tiled) { return decode(decoder, space, latent, tiled); });
  };
  at::Tensor picture = through(parts_.part(PartKind::vae_decoder));
  if (!engine::is_finite(picture) && parts_.part(PartKind::vae_decoder).placement().dtype != at::kFloat) {
    picture = through(parts_.in_fp32(PartKind::vae_decoder));
  }
  const core::Timed timed(seconds_);
  return to_image(picture);
}

Moments Autoencoder::encoded(const Image& image) {
  const Space& space = parts_.model().space;
  const auto through = [&](LoadedPart& encoder) {
    const core::Timed timed(seconds_);
    return whole_or_tiled(tiling_, image.height / space.downscale, image.width / space.downscale,
                          [&](bool tiled) { return encode(encoder, space, image, tiled); });
  };
  Moments moments = through(parts_.part(PartKind::vae_encoder));
  if (is_finite(moments)) return moments;
  if (parts_.part(PartKind::vae_encoder).placement().dtype != at::kFloat)
    moments = through(parts_.in_fp32(PartKind::vae_encoder));
  if (is_finite(moments)) return moments;
  throw Error(ErrorKind::numeric,
              core::sentence("encoding the picture gave NaN or Inf; nothing was saved. Try {dtype} fp32"));
}

}  // namespace lapis::engine
