#include "pipeline/handoff.hpp"

#include <array>
#include <utility>

#include "core/family/spaces.hpp"
#include "core/latent/latents.hpp"
#include "io/model/model_folder.hpp"
#include "pipeline/transcode.hpp"

namespace lapis::pipeline {

Handoff::Handoff(std::string file, const Passport& passport, core::Layout layout, const Model* own, const Model& target,
                 std::optional<PixelSize> size, const core::RouteOptions& options, ModelCatalog& catalog)
    : file_(std::move(file)), target_(target), own_(own), departing_(passport), arriving_(passport) {
  core::RouteTarget to = route_target(target);
  to.reads_unfinished = true;
  to.size = size;
  const bool stays =
      core::same_values(passport.space, target.space) && (!size || *size == core::picture_size(passport));
  if (!stays && own_ == nullptr) own_ = catalog.decoder_of(passport);
  core::Available available;
  available.own_decoder = own_ != nullptr && own_->parts.contains("vae_decoder");
  available.target_encoder = target.parts.contains("vae_encoder");
  core::RouteSource source{file_, passport, layout};
  if (own_ != nullptr) source.decoder_space = own_->space;
  route_ = core::plan_route(source, to, available, options);
  core::require(route_);
  arriving_.space = target.space;
  if (!transcodes()) return;
  const int cell = target.space.downscale;
  arriving_.shape = {passport.shape[0], target.space.channels, route_.size.height / cell, route_.size.width / cell};
}

io::Checked Handoff::checked() const {
  return {file_,  target_.name,       core::space_name(departing_.space), core::space_name(target_.space),
          route_, departing_.shape[0]};
}

void Handoff::verify() const {
  if (transcodes()) io::verify_parts(*own_, std::array<std::string, 1>{"vae_decoder"});
}

RouteTools Handoff::tools(const std::string& tiling, Engine& engine) const {
  return {{own_, &target_}, tiling, [&engine]() -> Engine& { return engine; }, {}};
}

io::LatentDocument Handoff::carry(const io::LatentDocument& document, const std::string& tiling, Engine& engine,
                                  const Events& events) {
  return arrived(run_route(route_, document, tools(tiling, engine)), events);
}

io::LatentDocument Handoff::carry(std::vector<Image> pictures, const Passport& passport, const std::string& tiling,
                                  Engine& engine, const Events& events) {
  return arrived(run_route(route_, passport, std::move(pictures), tools(tiling, engine)), events);
}

io::LatentDocument Handoff::arrived(Transcoded transcoded, const Events& events) {
  timings_ += transcoded.timings;
  if (!transcoded.added.empty()) tell(events.note, announcement(file_, transcoded));
  return std::move(transcoded.document);
}

}  // namespace lapis::pipeline
