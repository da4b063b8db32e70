#include "pipeline/preview.hpp"

#include "core/latent/preview.hpp"
#include "core/latent/units.hpp"
#include "core/picture/pixels.hpp"
#include "core/picture/resize.hpp"
#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::pipeline {

const core::LineageRow& preview_colours(const std::string& file, const Space& space) {
  if (const core::LineageRow* colours = core::find_colours(space)) return *colours;
  throw Error(ErrorKind::incompatible,
              core::sentence("{} is in space {}, and no colours of its channels are known, so there is no preview of "
                             "it.",
                             file, core::space_name(space)),
              core::sentence("Decode it by its VAE: {lapis decode}, without {preview}"));
}

Latent preview_latent(const io::LatentDocument& document, const core::LineageRow& colours) {
  Latent latent = io::to_latent(document);
  const Space space = core::coloured_space(colours);
  core::rescale(latent.values, latent.shape, latent.space, space);
  latent.space = space;
  return latent;
}

Image preview_picture(const Latent& latent, int index, const core::LineageRow& colours, PixelSize size) {
  const core::Pixels cells = core::pixels_of(core::preview(latent.values, latent.shape, index, colours));
  return core::rgb_image(core::resized(cells, size.width, size.height, core::Filter::lanczos));
}

}  // namespace lapis::pipeline
