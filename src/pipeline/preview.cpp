#include "pipeline/preview.hpp"

#include <utility>

#include "core/latent/latents.hpp"
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

PreviewPlan plan_preview(NamedLatent latent) {
  PreviewPlan plan;
  plan.colours = &preview_colours(latent.name, latent.passport().space);
  if (latent.passport().sigma > 0)
    plan.notes.push_back(core::sentence("{} is partially denoised: its noise shows in the preview", latent.name));
  plan.latent = std::move(latent);
  return plan;
}

void preview(const PreviewPlan& plan, const Events& events, const DecodedCallback& on_picture) {
  const Latent latent = preview_latent(plan.latent.latent.document, *plan.colours);
  const PixelSize size = core::picture_size(plan.latent.passport());
  for (const std::string& note : plan.notes) tell(events.note, note);
  for (int i = 0; i < plan.batch(); ++i) {
    if (!is_wanted(plan.wanted, i)) continue;
    const core::Pixels cells = core::pixels_of(core::preview(latent.values, latent.shape, i, *plan.colours));
    on_picture({core::rgb_image(core::resized(cells, size.width, size.height, core::Filter::lanczos)),
                {i, "", plan.latent.passport().space, false},
                {}});
  }
}

}  // namespace lapis::pipeline
