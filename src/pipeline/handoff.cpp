#include "pipeline/handoff.hpp"

#include <array>
#include <utility>

#include "core/family/spaces.hpp"
#include "core/latent/latents.hpp"
#include "io/model/model_folder.hpp"

namespace lapis::pipeline {

Handoff::Handoff(std::string file, const Passport& passport, core::Layout layout, const Model* own, const Model& target,
                 std::optional<PixelSize> size, const HandoffOptions& options, ModelCatalog& catalog)
    : file_(std::move(file)),
      target_(target),
      own_(own),
      size_(size),
      options_(options),
      departing_(passport),
      arriving_(passport) {
  core::Destination to = destination_of(target);
  to.reads_unfinished = true;
  to.size = size;
  const bool stays =
      core::same_values(passport.space, target.space) && (!size || *size == core::picture_size(passport));
  if (!stays && own_ == nullptr) own_ = catalog.decoder_of(passport);
  core::Means means;
  means.own_decoder = own_ != nullptr && own_->parts.contains("vae_decoder");
  means.target_encoder = target.parts.contains("vae_encoder");
  means.may_convert = options.may_convert;
  ruling_ = core::judge(file_, passport, layout, to, means);
  core::require(ruling_);
  arriving_.space = target.space;
  if (!crosses()) return;
  const int cell = target.space.downscale;
  arriving_.shape = {passport.shape[0], target.space.channels, ruling_.size.height / cell, ruling_.size.width / cell};
}

io::Checked Handoff::route() const {
  io::Checked route{file_,   target_.name,       core::space_name(departing_.space), core::space_name(target_.space),
                    ruling_, departing_.shape[0]};
  count_measuring(crossing(""), route.ruling);
  return route;
}

void Handoff::verify() const {
  if (crosses()) io::verify_parts(*own_, std::array<std::string, 1>{"vae_decoder"});
}

CrossingOptions Handoff::crossing(const std::string& tiling) const {
  return {tiling, size_, options_.measure, options_.compensate};
}

io::LatentDocument Handoff::carry(const io::LatentDocument& document, const std::string& tiling, Engine& engine,
                                  const Events& events) {
  if (crosses()) return arrived(cross(document, *own_, target_, crossing(tiling), engine), events);
  io::LatentDocument result = rescaled(document, target_.space, document.passport.units);
  const std::vector<Crossing>& history = result.passport.history;
  if (history.size() > document.passport.history.size()) tell(events.note, announcement(file_, history.back()));
  return result;
}

io::LatentDocument Handoff::carry(std::vector<Image> pictures, const Passport& passport, const std::string& tiling,
                                  Engine& engine, const Events& events) {
  engine.use(target_);
  return arrived(cross_pictures(std::move(pictures), passport, target_, crossing(tiling), engine), events);
}

io::LatentDocument Handoff::arrived(Crossed crossed, const Events& events) {
  timings_ += crossed.timings;
  tell(events.note, announcement(file_, crossed));
  return std::move(crossed.document);
}

}  // namespace lapis::pipeline
