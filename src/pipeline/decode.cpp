#include "pipeline/decode.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/latent/latents.hpp"
#include "core/latent/plan_route.hpp"
#include "core/latent/preview.hpp"
#include "core/picture/pixels.hpp"
#include "core/picture/resize.hpp"
#include "io/latent/latent_file.hpp"
#include "io/model/model_folder.hpp"
#include "lapis/error.hpp"
#include "pipeline/run_route.hpp"
#include "pipeline/transcode.hpp"

namespace lapis::pipeline {
namespace {

[[noreturn]] void refuse_without_vae(const DecodeAsked& asked, ModelCatalog& catalog) {
  const Passport& passport = asked.latent.passport();
  const Model* alike = catalog.find([&](const Model& model) {
    return core::same_values(model.space, passport.space) && model.parts.contains("vae_decoder");
  });
  const std::string side = core::space_name(passport.space) + " (" + core::space_numbers(passport.space) + ")";
  const std::string digest = passport.vae_sha256.substr(0, 12);
  throw Error(ErrorKind::incompatible,
              asked.latent.name + " is in space " + side + ", and no known model has its VAE" +
                  (alike != nullptr ? ": those of that lineage have other digests than " + digest : "") + ".",
              "Name the model or folder that it comes from: lapis decode " + asked.path + " -m MODEL");
}

/// Throws for what cannot be forced: noise, and another number of channels.
void check_forcing(const core::Route& route, const Passport& passport, const Space& space) {
  if (passport.sigma > 0) core::require(route);
  if (passport.space.channels == space.channels) return;
  throw Error(ErrorKind::incompatible, route.reason,
              std::to_string(passport.space.channels) + " channels cannot even be forced through a VAE of " +
                  std::to_string(space.channels) + ". " + route.advice);
}

bool is_wanted(const std::vector<int>& wanted, int index) {
  return wanted.empty() || std::ranges::find(wanted, index) != wanted.end();
}

}  // namespace

DecodePlan plan_decode(DecodeAsked asked, ModelCatalog& catalog) {
  const Passport& passport = asked.latent.passport();
  DecodePlan plan;
  plan.model = asked.model.empty() ? catalog.decoder_of(passport) : &catalog.open(asked.model);
  if (plan.model == nullptr) refuse_without_vae(asked, catalog);
  if (!plan.model->parts.contains("vae_decoder")) {
    throw Error(ErrorKind::model, plan.model->name + " has no vae_decoder.", "Name a model that has one: -m MODEL");
  }
  core::RouteTarget target = route_target(*plan.model);
  if (!asked.model.empty()) target.name = asked.model;
  target.size_multiple = 1;  // a VAE decodes any count of cells
  plan.route =
      core::plan_route({asked.latent.name, passport, asked.latent.latent.layout}, target, {}, {.may_convert = false});
  plan.forced = plan.route.refused && asked.force;
  if (plan.forced) {
    check_forcing(plan.route, passport, plan.model->space);
    plan.notes.push_back(asked.latent.name + ": " + core::space_name(passport.space) + " forced through the VAE of " +
                         core::space_name(plan.model->space) + ": the picture is not what the latent shows");
  } else {
    core::require(plan.route);
  }
  plan.tiling = tiling_of(passport, asked.tiling);
  plan.latent = std::move(asked.latent);
  return plan;
}

void decode(const DecodePlan& plan, EngineDoor& door, const Events& events, const DecodedCallback& on_picture) {
  door.begin();
  io::verify_parts(*plan.model, std::array<std::string, 1>{"vae_decoder"});
  const io::LatentDocument& document = plan.latent.latent.document;
  const Latent latent = io::to_latent(plan.forced ? document : run_route(plan.route, document, {}).document);
  Engine& engine = door.engine();
  for (const std::string& note : plan.notes) tell(events.note, note);
  for (int i = 0; i < plan.batch(); ++i) {
    if (!is_wanted(plan.wanted, i)) continue;
    Decoded decoded = engine.decode(*plan.model, core::picture_of(latent, i), plan.tiling, plan.forced);
    on_picture(
        {std::move(decoded.images.front()), {i, plan.model->name, plan.model->space, plan.forced}, decoded.timings});
  }
}

PreviewPlan plan_preview(NamedLatent latent) {
  PreviewPlan plan;
  plan.lineage = &colours_of(latent.name, latent.passport().space);
  if (latent.passport().sigma > 0) plan.notes.push_back(latent.name + " is unfinished: its noise shows in the preview");
  plan.latent = std::move(latent);
  return plan;
}

void preview(const PreviewPlan& plan, const Events& events, const DecodedCallback& on_picture) {
  const Latent latent = in_space(io::to_latent(plan.latent.latent.document), core::coloured_space(*plan.lineage));
  const PixelSize size = core::picture_size(plan.latent.passport());
  for (const std::string& note : plan.notes) tell(events.note, note);
  for (int i = 0; i < plan.batch(); ++i) {
    if (!is_wanted(plan.wanted, i)) continue;
    const core::Pixels cells = core::pixels_of(core::preview(latent.values, latent.shape, i, *plan.lineage));
    on_picture({core::rgb_image(core::resized(cells, size.width, size.height, core::Filter::lanczos)),
                {i, "", plan.latent.passport().space, false},
                {}});
  }
}

std::string tiling_of(const Passport& passport, const std::string& asked) {
  const std::string recorded = io::recorded_text(passport, "vae_tiling").value_or("auto");
  return asked == "auto" && (recorded == "on" || recorded == "off") ? recorded : asked;
}

}  // namespace lapis::pipeline
