#include "pipeline/routes.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "core/family/spaces.hpp"
#include "core/latent/plan_route.hpp"
#include "core/text/sentence.hpp"

namespace lapis::pipeline {
namespace {

/// A space, and what known models have for it.
struct KnownSpace {
  Space space;
  bool decodes = false;
  bool encodes = false;
};

std::vector<KnownSpace> known_spaces(ModelCatalog& catalog) {
  const std::vector<const Model*> models = catalog.all();
  std::vector<KnownSpace> known;
  for (const core::SpaceRow& row : core::spaces()) known.push_back({row.space});
  for (const Model* model : models) {
    const auto same = [&](const KnownSpace& space) { return space.space == model->space; };
    if (std::none_of(known.begin(), known.end(), same)) known.push_back({model->space});
  }
  for (KnownSpace& space : known) {
    for (const Model* model : models) {
      if (!core::same_values(space.space, model->space)) continue;
      space.decodes = space.decodes || model->parts.contains("vae_decoder");
      space.encodes = space.encodes || model->parts.contains("vae_encoder");
    }
  }
  return known;
}

core::Route route_between(const KnownSpace& from, const KnownSpace& to) {
  constexpr std::int64_t side = 1024;
  Passport latent;
  latent.space = from.space;
  latent.shape = {1, from.space.channels, side / from.space.downscale, side / from.space.downscale};
  core::RouteTarget target;
  target.name = core::space_name(to.space);
  target.space = to.space;
  return core::plan_route({"LATENT", latent, core::Layout::plain}, target, {true, true});
}

std::string at_hand(const KnownSpace& from, const KnownSpace& to, core::Verdict verdict) {
  if (verdict != core::Verdict::re_encode) return "needs no VAE";
  if (!from.decodes) return core::sentence("no decoder of {}", core::space_name(from.space));
  if (!to.encodes) return core::sentence("no encoder of {}", core::space_name(to.space));
  return "yes";
}

}  // namespace

std::vector<std::vector<std::string>> route_rows(ModelCatalog& catalog) {
  std::vector<std::vector<std::string>> rows{{"from", "to", "verdict", "decodes", "encodes", "at hand"}};
  const std::vector<KnownSpace> known = known_spaces(catalog);
  for (const KnownSpace& from : known) {
    for (const KnownSpace& to : known) {
      const core::Route route = route_between(from, to);
      const core::Verdict verdict = core::verdict(route);
      const core::RouteCost cost = core::cost(route);
      rows.push_back({core::space_name(from.space), core::space_name(to.space),
                      std::string(core::verdict_name(verdict)), std::to_string(cost.decodes),
                      std::to_string(cost.encodes), at_hand(from, to, verdict)});
    }
  }
  return rows;
}

}  // namespace lapis::pipeline
