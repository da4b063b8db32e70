#include "pipeline/convert.hpp"

#include <array>
#include <utility>

#include "core/family/spaces.hpp"
#include "core/latent/latents.hpp"
#include "core/latent/units.hpp"
#include "core/stopwatch.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/shell_word.hpp"
#include "io/model/model_folder.hpp"
#include "lapis/error.hpp"
#include "pipeline/latent_words.hpp"
#include "pipeline/output_names.hpp"
#include "pipeline/route_target.hpp"
#include "pipeline/run_route.hpp"

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
    plan_.tiling = asked_.tiling;
    choose_units();
    name_target();
    choose_route();
    return std::move(plan_);
  }

 private:
  const Passport& passport() const { return plan_.latent.passport(); }
  const io::LatentFormatRow& row() const { return io::latent_format_row(plan_.format); }

  void choose_units() {
    io::check_can_hold(plan_.format, passport());
    if (row().units && asked_.units && *asked_.units != *row().units) {
      throw Error(ErrorKind::usage,
                  core::sentence("{units} {} is not what format {} holds: {} units. Leave one of the two out",
                                 core::units_name(*asked_.units), row().name, core::units_name(*row().units)));
    }
    plan_.to.units = asked_.units ? asked_.units : row().units;
  }

  /// What `to` names: a space, or a model; without it, the latent's own space.
  void name_target() {
    const std::optional<Units> units = plan_.to.units;
    if (asked_.to.empty()) {
      plan_.to.name = core::space_name(passport().space);
      plan_.to.space = passport().space;
      plan_.to.vae_sha256 = passport().vae_sha256;
      return;
    }
    const Space space = catalog_.space_named(asked_.to, core::field_name("to"));
    if (core::find_space(asked_.to.substr(0, asked_.to.find(':'))) == nullptr) {
      plan_.target = &catalog_.open(asked_.to);
      plan_.to = route_target(*plan_.target);
    }
    plan_.to.name = asked_.to;
    plan_.to.space = space;
    plan_.to.units = units;
  }

  void choose_route() {
    core::RouteTarget& target = plan_.to;
    const bool resizes = asked_.size && *asked_.size != core::picture_size(passport());
    const bool transcodes = resizes || !core::same_values(passport().space, target.space);
    if (transcodes) find_models();
    const core::SpaceRow* space = core::find_space(target.space.id);
    if (row().packs && space != nullptr && space->packing > 1) target.layout = core::Layout::packed;
    target.size = asked_.size;
    core::RouteSource source{plan_.latent.name, passport(), plan_.latent.latent.layout};
    if (plan_.own != nullptr) source.decoder_space = plan_.own->space;
    if (plan_.target != nullptr) target.encoder_space = plan_.target->space;
    const core::Available halves = available(plan_.own, plan_.target);
    plan_.route = core::plan_route(source, target, halves, {asked_.may_convert, true, asked_.compensate});
    if (plan_.route.refused && transcodes && !halves.target_encoder) advise_target();
    core::require(plan_.route);
  }

  /// The two models of a transcode, as far as they are known.
  void find_models() {
    if (asked_.from.empty()) {
      plan_.own = catalog_.decoder_of(passport());
    } else {
      plan_.own = &catalog_.open(asked_.from);
      core::RouteTarget decoder = decoder_target(*plan_.own);
      decoder.name = asked_.from;
      core::Route route = core::plan_route({plan_.latent.name, passport(), plan_.latent.latent.layout}, decoder, {},
                                           {.may_convert = false});
      const bool is_of_another = !core::same_values(passport().space, plan_.own->space);
      if (route.refused && is_of_another) route.advice = advice_of_another_vae();
      core::require(route);
    }
    if (plan_.target != nullptr) return;
    plan_.target = asked_.to.empty() ? plan_.own : catalog_.encoder_of(plan_.to.space);
    if (plan_.target != nullptr) plan_.to.size_multiple = route_target(*plan_.target).size_multiple;
  }

  /// What to do where the VAE that a latent is said to come from is not its own: to convert it would take its own
  /// first.
  std::string advice_of_another_vae() const {
    const Space& space = passport().space;
    const std::string advice = core::sentence("Name a model whose VAE is that of {}", core::space_name(space));
    if (space.channels != plan_.own->space.channels) return advice;
    return core::sentence(
        "{}. Where {} did make it, its space was said wrongly: {lapis convert} its source again, with {space} {}",
        advice, asked_.from, asked_.from);
  }

  /// No known model encodes into the space that was named: those of other lineages may be meant.
  void advise_target() {
    const Space& space = plan_.to.space;
    const Model* alike = catalog_.find(
        [&](const Model& model) { return model.space.id == space.id && model.parts.contains("vae_encoder"); });
    if (alike == nullptr) return;
    plan_.route.advice = core::sentence("No known model has the VAE of {}; {} lives in {}: {lapis convert} {} {to} {}",
                                        core::space_name(space), alike->name, core::space_name(alike->space),
                                        core::file_word(asked_.path), alike->name);
  }

  ConvertAsked asked_;
  ModelCatalog& catalog_;
  ConvertPlan plan_;
};

}  // namespace

io::Checked ConvertPlan::checked() const {
  const Passport& passport = latent.passport();
  return {latent.name, to.name, core::space_name(passport.space), core::space_name(to.space), route, passport.shape[0]};
}

ConvertAsked convert_asked(const ConvertWords& words) {
  ConvertAsked asked;
  if (!words.units.empty()) asked.units = parse_units(words.units, "units");
  if (!words.dtype.empty()) asked.dtype = parse_latent_dtype(words.dtype, "dtype");
  if (!words.size.empty()) asked.size = parse_size(words.size, "size");
  const bool says_something =
      asked.units || asked.dtype || asked.size || !words.to.empty() || !words.format.empty() || !words.output.empty();
  if (!says_something) {
    throw Error(ErrorKind::usage,
                core::sentence("nothing says what the latent becomes. Name a model or a space ({to}), a format "
                               "({format}), {units}, {dtype} or {size}"));
  }
  asked.path = words.latent;
  asked.to = words.to;
  asked.from = words.from;
  asked.format = output_format(words.format, words.output);
  return asked;
}

ConvertPlan plan_convert(ConvertAsked asked, ModelCatalog& catalog) {
  return Planning(std::move(asked), catalog).run();
}

void verify(ConvertPlan& plan) {
  if (!plan.transcodes()) return;
  const core::Timed timed(plan.seconds);
  io::verify_parts(*plan.own, std::array<std::string, 1>{"vae_decoder"});
  io::verify_parts(*plan.target, std::array<std::string, 2>{"vae_encoder", "vae_decoder"});
}

Converted convert(const ConvertPlan& plan, EngineDoor& door, const Events& events) {
  RouteTools tools;
  tools.models = {plan.own, plan.target};
  tools.tiling = plan.tiling;
  tools.engine = [&door]() -> Engine& { return door.engine(); };
  Transcoded transcoded = run_route(plan.route, plan.latent.latent.document, tools);
  if (!transcoded.added.empty()) tell(events.note, announcement(plan.latent.name, transcoded));
  Converted converted;
  converted.document = std::move(transcoded.document);
  converted.measured = transcoded.measured;
  converted.timings.read = plan.seconds;
  converted.timings.engine = door.waited();
  converted.timings.parts = transcoded.timings;
  if (plan.dtype) converted.document.passport.dtype = *plan.dtype;
  return converted;
}

}  // namespace lapis::pipeline
