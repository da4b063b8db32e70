#include "pipeline/handoff.hpp"

#include <array>
#include <utility>

#include "core/family/spaces.hpp"
#include "core/latent/latents.hpp"
#include "io/model/model_folder.hpp"
#include "pipeline/route_target.hpp"

namespace lapis::pipeline {
namespace {

RouteTools tools_of(const HandoffPlan& plan, const std::string& tiling, Engine& engine) {
  return {{plan.own, plan.target}, tiling, [&engine]() -> Engine& { return engine; }, {}};
}

Transcoded announced(const HandoffPlan& plan, Transcoded carried, const Events& events) {
  if (!carried.added.empty()) tell(events.note, announcement(plan.latent.name, carried));
  return carried;
}

}  // namespace

io::Checked HandoffPlan::checked() const {
  return {latent.name,
          target->name,
          core::space_name(latent.passport.space),
          core::space_name(target->space),
          route,
          latent.passport.shape[0]};
}

HandoffPlan plan_handoff(core::RouteSource latent, const Model* own, const Model& target, std::optional<PixelSize> size,
                         const core::RouteOptions& options, ModelCatalog& catalog) {
  const Passport& passport = latent.passport;
  core::RouteTarget to = route_target(target);
  to.resumes = true;
  to.size = size;
  const bool stays =
      core::same_values(passport.space, target.space) && (!size || *size == core::picture_size(passport));
  if (!stays && own == nullptr) own = catalog.decoder_of(passport);
  if (own != nullptr) latent.decoder_space = own->space;
  HandoffPlan plan{std::move(latent), {}, own, &target, {}};
  plan.route = core::plan_route(plan.latent, to, available(own, &target), options);
  core::require(plan.route);
  plan.arriving = plan.latent.passport;
  plan.arriving.space = target.space;
  if (!plan.transcodes()) return plan;
  const int cell = target.space.downscale;
  plan.arriving.shape = {plan.arriving.shape[0], target.space.channels, plan.route.size.height / cell,
                         plan.route.size.width / cell};
  return plan;
}

void verify(const HandoffPlan& plan) {
  if (plan.transcodes()) io::verify_parts(*plan.own, std::array<std::string, 1>{"vae_decoder"});
}

Transcoded carry(const HandoffPlan& plan, const io::LatentDocument& document, const std::string& tiling, Engine& engine,
                 const Events& events) {
  return announced(plan, run_route(plan.route, document, tools_of(plan, tiling, engine)), events);
}

Transcoded carry(const HandoffPlan& plan, std::vector<Image> pictures, const Passport& passport,
                 const std::string& tiling, Engine& engine, const Events& events) {
  const RouteTools tools = tools_of(plan, tiling, engine);
  return announced(plan, run_route(plan.route, passport, std::move(pictures), tools), events);
}

}  // namespace lapis::pipeline
