#include "pipeline/convert.hpp"

#include <utility>

#include "core/family/spaces.hpp"
#include "core/latent/latents.hpp"
#include "core/latent/units.hpp"
#include "lapis/error.hpp"

namespace lapis::pipeline {
namespace {

/// One `plan_convert`, from what is asked to a plan.
class Planning {
 public:
  Planning(ConvertAsked asked, ModelCatalog& catalog) : asked_(std::move(asked)), catalog_(catalog) {}

  ConvertPlan run() {
    plan_.latent = std::move(asked_.latent);
    plan_.format = asked_.format;
    plan_.dtype = asked_.dtype;
    plan_.crossing = {asked_.tiling, asked_.size, true, asked_.compensate};
    choose_units();
    name_destination();
    choose_route();
    return std::move(plan_);
  }

 private:
  const Passport& passport() const { return plan_.latent.passport(); }
  const io::LatentFormatRow& row() const { return io::latent_format_row(plan_.format); }

  void choose_units() {
    io::check_format(plan_.format, passport());
    if (row().units && asked_.units && *asked_.units != *row().units) {
      throw Error(ErrorKind::usage, "--units " + core::units_name(*asked_.units) + " is not what form " + row().name +
                                        " holds: " + core::units_name(*row().units) +
                                        " units. Leave one of the two out");
    }
    plan_.destination.units = asked_.units.value_or(row().units.value_or(passport().units));
  }

  /// What `to` names: a space, or a model; without it, the latent's own space.
  void name_destination() {
    const Units units = plan_.destination.units;
    if (asked_.to.empty()) {
      plan_.destination.name = core::space_name(passport().space);
      plan_.destination.space = passport().space;
      plan_.destination.vae_sha256 = passport().vae_sha256;
      return;
    }
    const Space space = catalog_.space_named(asked_.to, "--to");
    if (core::find_space(asked_.to.substr(0, asked_.to.find(':'))) == nullptr) {
      plan_.target = &catalog_.open(asked_.to);
      plan_.destination = destination_of(*plan_.target);
    }
    plan_.destination.name = asked_.to;
    plan_.destination.space = space;
    plan_.destination.units = units;
  }

  void choose_route() {
    core::Destination& destination = plan_.destination;
    const bool resizes = asked_.size && *asked_.size != core::picture_size(passport());
    const bool crosses = resizes || !core::same_values(passport().space, destination.space);
    if (crosses) find_models();
    const core::SpaceRow* space = core::find_space(destination.space.id);
    if (row().packs && space != nullptr && space->packing > 1) destination.layout = core::Layout::packed;
    destination.size = asked_.size;
    const core::Means means = {plan_.own != nullptr && plan_.own->parts.contains("vae_decoder"),
                               plan_.target != nullptr && plan_.target->parts.contains("vae_encoder"),
                               asked_.may_convert};
    plan_.ruling = core::judge(plan_.latent.name, passport(), plan_.latent.latent.layout, destination, means);
    if (plan_.ruling.verdict == core::Verdict::refuse && crosses && !means.target_encoder) advise_target();
    core::require(plan_.ruling);
    if (plan_.crosses() && !asked_.units && !row().units) destination.units = Units::model;
  }

  /// The two models of a crossing, as far as they are known.
  void find_models() {
    if (asked_.from.empty()) {
      plan_.own = catalog_.decoder_of(passport());
    } else {
      plan_.own = &catalog_.open(asked_.from);
      core::Destination decoder = destination_of(*plan_.own);
      decoder.name = asked_.from;
      decoder.size_multiple = 1;
      core::require(
          core::judge(plan_.latent.name, passport(), plan_.latent.latent.layout, decoder, {false, false, false}));
    }
    if (plan_.target != nullptr) return;
    plan_.target = asked_.to.empty() ? plan_.own : catalog_.encoder_of(plan_.destination.space);
    if (plan_.target != nullptr) plan_.destination.size_multiple = destination_of(*plan_.target).size_multiple;
  }

  /// No known model encodes into the space that was named: those of other lineages may be meant.
  void advise_target() {
    const Space& space = plan_.destination.space;
    const Model* alike = catalog_.find(
        [&](const Model& model) { return model.space.id == space.id && model.parts.contains("vae_encoder"); });
    if (alike == nullptr) return;
    plan_.ruling.advice = "No known model has the VAE of " + core::space_name(space) + "; " + alike->name +
                          " lives in " + core::space_name(alike->space) + ": lapis convert " + asked_.path + " --to " +
                          alike->name;
  }

  ConvertAsked asked_;
  ModelCatalog& catalog_;
  ConvertPlan plan_;
};

}  // namespace

io::Checked ConvertPlan::route() const {
  const Passport& passport = latent.passport();
  io::Checked checked{
      latent.name, destination.name, core::space_name(passport.space), core::space_name(destination.space),
      ruling,      passport.shape[0]};
  count_measuring(crossing, checked.ruling);
  return checked;
}

ConvertPlan plan_convert(ConvertAsked asked, ModelCatalog& catalog) {
  return Planning(std::move(asked), catalog).run();
}

Converted convert(const ConvertPlan& plan, EngineDoor& door, const Events& events) {
  const io::LatentDocument& document = plan.latent.latent.document;
  Converted converted;
  if (plan.crosses()) {
    Crossed crossed = cross(document, *plan.own, *plan.target, plan.crossing, door.engine());
    tell(events.note, announcement(plan.latent.name, crossed));
    converted.timings = crossed.timings;
    converted.psnr = crossed.document.passport.history.back().psnr;
    converted.compensated = crossed.compensated;
    converted.plain_psnr = crossed.plain_psnr;
    converted.document = rescaled(crossed.document, plan.destination.space, plan.destination.units);
  } else {
    converted.document = rescaled(document, plan.destination.space, plan.destination.units);
    const std::vector<Crossing>& history = converted.document.passport.history;
    if (history.size() > document.passport.history.size()) {
      tell(events.note, announcement(plan.latent.name, history.back()));
    }
  }
  if (plan.dtype) converted.document.passport.dtype = *plan.dtype;
  return converted;
}

}  // namespace lapis::pipeline
