#include "pipeline/decode.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/family/spaces.hpp"
#include "core/latent/latents.hpp"
#include "core/latent/plan_route.hpp"
#include "core/text/sentence.hpp"
#include "io/latent/latent_file.hpp"
#include "io/model/model_folder.hpp"
#include "lapis/error.hpp"
#include "pipeline/preview.hpp"
#include "pipeline/route_target.hpp"
#include "pipeline/run_route.hpp"

namespace lapis::pipeline {
namespace {

[[noreturn]] void refuse_without_vae(const DecodeAsked& asked, ModelCatalog& catalog) {
  const Passport& passport = asked.latent.passport();
  const Model* alike = catalog.find([&](const Model& model) {
    return core::same_values(model.space, passport.space) && model.parts.contains("vae_decoder");
  });
  const std::string digest = passport.vae_sha256.substr(0, 12);
  throw Error(
      ErrorKind::incompatible,
      core::sentence(
          "{} is in space {} ({}), and no known model has its VAE{}.", asked.latent.name,
          core::space_name(passport.space), core::space_numbers(passport.space),
          alike != nullptr ? core::sentence(": those of that lineage have other digests than {}", digest) : ""),
      core::sentence("Name the model or folder that it comes from: {lapis decode} {} {-model} MODEL", asked.path));
}

bool is_wanted(const DecodePlan& plan, int index) {
  return plan.wanted.empty() || std::ranges::find(plan.wanted, index) != plan.wanted.end();
}

DecodePlan plan_preview(NamedLatent latent) {
  DecodePlan plan;
  plan.colours = &preview_colours(latent.name, latent.passport().space);
  if (latent.passport().sigma > 0) {
    plan.notes.push_back(core::sentence("{} is partially denoised: its noise shows in the preview", latent.name));
  }
  plan.latent = std::move(latent);
  return plan;
}

void preview(const DecodePlan& plan, const Events& events, const DecodedCallback& on_picture) {
  const Latent latent = preview_latent(plan.latent.latent.document, *plan.colours);
  const PixelSize size = core::picture_size(plan.latent.passport());
  for (const std::string& note : plan.notes) tell(events.note, note);
  io::RunTimings timings;
  timings.read = plan.seconds;
  for (int i = 0; i < plan.batch(); ++i) {
    if (!is_wanted(plan, i)) continue;
    on_picture(
        {preview_picture(latent, i, *plan.colours, size), {i, "", plan.latent.passport().space, false}, timings});
  }
}

/// Throws for what cannot be forced: noise, and another number of channels.
void check_forcing(const core::Route& route, const Passport& passport, const Space& space) {
  if (passport.sigma > 0) core::require(route);
  if (passport.space.channels == space.channels) return;
  throw Error(ErrorKind::incompatible, route.reason,
              core::sentence("{} channels cannot even be forced through a VAE of {}. {}", passport.space.channels,
                             space.channels, route.advice));
}

}  // namespace

DecodePlan plan_decode(DecodeAsked asked, ModelCatalog& catalog) {
  if (asked.preview) return plan_preview(std::move(asked.latent));
  const Passport& passport = asked.latent.passport();
  DecodePlan plan;
  plan.model = asked.model.empty() ? catalog.decoder_of(passport) : &catalog.open(asked.model);
  if (plan.model == nullptr) refuse_without_vae(asked, catalog);
  if (!plan.model->parts.contains("vae_decoder")) {
    throw Error(ErrorKind::model, core::sentence("{} has no vae_decoder.", plan.model->name),
                core::sentence("Name a model that has one: {-model} MODEL"));
  }
  core::RouteTarget target = decoder_target(*plan.model);
  if (!asked.model.empty()) target.name = asked.model;
  plan.route =
      core::plan_route({asked.latent.name, passport, asked.latent.latent.layout}, target, {}, {.may_convert = false});
  plan.forced = plan.route.refused && asked.force;
  if (plan.forced) {
    check_forcing(plan.route, passport, plan.model->space);
    plan.notes.push_back(core::sentence("{}: {} forced through the VAE of {}: the picture is not what the latent shows",
                                        asked.latent.name, core::space_name(passport.space),
                                        core::space_name(plan.model->space)));
  } else {
    core::require(plan.route);
  }
  plan.tiling = tiling_of(passport, asked.tiling);
  plan.latent = std::move(asked.latent);
  return plan;
}

void decode(const DecodePlan& plan, EngineDoor& door, const Events& events, const DecodedCallback& on_picture) {
  if (plan.colours != nullptr) return preview(plan, events, on_picture);
  door.begin();
  io::verify_parts(*plan.model, std::array<std::string, 1>{"vae_decoder"});
  const io::LatentDocument& document = plan.latent.latent.document;
  const Latent latent = io::to_latent(plan.forced ? document : run_route(plan.route, document, {}).document);
  Engine& engine = door.engine();
  for (const std::string& note : plan.notes) tell(events.note, note);
  io::RunTimings timings;
  timings.read = plan.seconds;
  timings.engine = door.waited();
  for (int i = 0; i < plan.batch(); ++i) {
    if (!is_wanted(plan, i)) continue;
    Decoded decoded = engine.decode(*plan.model, core::picture_of(latent, i), plan.tiling, plan.forced);
    timings.parts = decoded.timings;
    on_picture({std::move(decoded.images.front()), {i, plan.model->name, plan.model->space, plan.forced}, timings});
  }
}

std::string tiling_of(const Passport& passport, const std::string& asked) {
  const std::string recorded = io::recorded_text(passport, "vae_tiling").value_or("auto");
  return asked == "auto" && (recorded == "on" || recorded == "off") ? recorded : asked;
}

}  // namespace lapis::pipeline
