#include "cli/handover.hpp"

#include <array>
#include <utility>

#include "cli/terminal.hpp"
#include "core/latent/latents.hpp"
#include "core/family/spaces.hpp"
#include "io/model/model_folder.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {

void refuse_crossing_options(const HandoverOptions& options, const HintOptions& hints, bool is_refined) {
  const std::array<std::pair<const char*, bool>, 7> asked = {{
      {"--no-convert", !options.may_convert},
      {"--measure", options.measure},
      {"--compensate", options.compensate},
      {"--space", !hints.space.empty()},
      {"--init-units", !hints.units.empty()},
      {"--init-form", !hints.format.empty()},
      {"--init-size", !hints.size.empty()},
  }};
  for (const auto& [flag, is_given] : asked) {
    if (!is_given) continue;
    throw Error(ErrorKind::usage, std::string(flag) + " is for a latent to start from, and there is none.",
                is_refined ? "Leave it out" : "Leave it out, or name one: --init-latent FILE");
  }
}

Handover::Handover(std::string file, const Passport& passport, core::Layout layout, const std::optional<Model>& own,
                   const Model& target, std::optional<PixelSize> size, const HandoverOptions& options)
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
  if (!stays && !own_) own_ = own_model(passport, std::nullopt);
  core::Means means;
  means.own_decoder = own_ && own_->parts.contains("vae_decoder");
  means.target_encoder = target.parts.contains("vae_encoder");
  means.may_convert = options.may_convert;
  ruling_ = core::judge(file_, passport, layout, to, means);
  core::require(ruling_);
  arriving_.space = target.space;
  if (!crosses()) return;
  const int cell = target.space.downscale;
  arriving_.shape = {passport.shape[0], target.space.channels, ruling_.size.height / cell, ruling_.size.width / cell};
}

io::Checked Handover::route() const {
  io::Checked route{file_,   target_.name,       core::space_name(departing_.space), core::space_name(target_.space),
                    ruling_, departing_.shape[0]};
  count_measuring(crossing(""), route.ruling);
  return route;
}

void Handover::print() const { print_route(file_, ruling_, crossing(""), departing_.shape[0] > 1); }

void Handover::verify() const {
  if (crosses()) io::verify_parts(*own_, std::array<std::string, 1>{"vae_decoder"});
}

CrossingOptions Handover::crossing(const std::string& tiling) const {
  return {tiling, size_, options_.measure, options_.compensate};
}

io::LatentDocument Handover::carry(const io::LatentDocument& document, const std::string& tiling, Engine& engine) {
  if (crosses()) return arrived(cross(document, *own_, target_, crossing(tiling), engine));
  io::LatentDocument result = rescaled(document, target_.space, document.passport.units);
  const std::vector<Crossing>& history = result.passport.history;
  if (history.size() > document.passport.history.size()) print_note(announcement(file_, history.back()));
  return result;
}

io::LatentDocument Handover::carry(std::vector<Image> pictures, const Passport& passport, const std::string& tiling,
                                   Engine& engine) {
  engine.use(target_);
  return arrived(cross_pictures(std::move(pictures), passport, target_, crossing(tiling), engine));
}

io::LatentDocument Handover::arrived(Crossed crossed) {
  timings_ += crossed.timings;
  print_note(announcement(file_, crossed));
  return std::move(crossed.document);
}

}  // namespace lapis::cli
