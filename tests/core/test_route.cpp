#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/family/spaces.hpp"
#include "core/latent/route.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

const Space sdxl = parse_space("sdxl");
const Space playground = parse_space("playground25");

Route route_of(std::vector<RouteStep> steps) {
  Route route;
  route.steps = std::move(steps);
  return route;
}

RouteStep step(StepKind kind) { return {kind, sdxl, sdxl, {64, 48}}; }

Route through_picture(bool measures, bool compensates) {
  Route route = route_of({{StepKind::decode, parse_space("sd15"), parse_space("sd15"), {64, 48}},
                          {StepKind::encode, sdxl, sdxl, {64, 48}}});
  if (measures) route.steps.push_back(step(StepKind::measure));
  if (compensates) route.steps.push_back(step(StepKind::compensate));
  return route;
}

}  // namespace

TEST_CASE("a route is as dear as its dearest step") {
  using K = StepKind;
  CHECK(verdict(route_of({})) == Verdict::same);
  CHECK(verdict(route_of({step(K::unpack)})) == Verdict::repack);
  CHECK(verdict(route_of({step(K::unpack), step(K::to_vae)})) == Verdict::rescale);
  CHECK(verdict(route_of({step(K::to_model), step(K::pack)})) == Verdict::rescale);
  CHECK(verdict(through_picture(false, false)) == Verdict::re_encode);
  Route refused = through_picture(false, false);
  refused.refused = true;
  CHECK(verdict(refused) == Verdict::refuse);
  CHECK_FALSE(is_lossless(refused));
  CHECK_FALSE(is_lossless(through_picture(false, false)));
  CHECK(is_lossless(route_of({step(K::to_model), step(K::pack)})));
}

TEST_CASE("the cost is what the steps cost, and measuring is told apart") {
  CHECK(cost(route_of({step(StepKind::to_vae)})) == RouteCost{0, 0});
  CHECK(cost_text(route_of({step(StepKind::to_vae)})) == "no call of a VAE");
  CHECK(cost(through_picture(false, false)) == RouteCost{1, 1});
  CHECK(cost_text(through_picture(false, false)) == "1 decode, 1 encode");
  CHECK(cost(through_picture(true, false)) == RouteCost{2, 1});
  CHECK(cost_text(through_picture(true, false)) == "1 decode, 1 encode, 1 decode to measure");
  CHECK(cost(through_picture(true, true)) == RouteCost{3, 2});
  CHECK(cost_text(through_picture(true, true)) ==
        "1 decode, 1 encode, 1 decode to measure, 1 encode and 1 decode to compensate colours");
}

TEST_CASE("a change of space is history, a change of units is not") {
  CHECK(history(route_of({{StepKind::to_vae, sdxl, sdxl, {64, 48}}})).empty());
  CHECK(history(route_of({{StepKind::to_model, sdxl, sdxl, {64, 48}}, step(StepKind::pack)})).empty());
  const std::vector<Transcode> rescaled = {{"rescale", "sdxl", "playground25:sdxl", {64, 48}, {}}};
  CHECK(history(route_of({step(StepKind::to_vae), {StepKind::to_model, sdxl, playground, {64, 48}}})) == rescaled);
  CHECK(history(route_of({{StepKind::to_vae, sdxl, playground, {64, 48}}})) == rescaled);
  CHECK(history(route_of({{StepKind::relabel, sdxl, playground, {64, 48}}})) == rescaled);
}

TEST_CASE("an encode's entry has what was measured") {
  CHECK(history(through_picture(true, true)) == std::vector<Transcode>{{"re-encode", "sd15", "sdxl", {64, 48}, {}}});
  CHECK(history(through_picture(true, true), {31.5, 0, 31.5}) ==
        std::vector<Transcode>{{"re-encode", "sd15", "sdxl", {64, 48}, 31.5}});
  CHECK(history(through_picture(true, true), {31.5, 1, 30.0}) ==
        std::vector<Transcode>{{"re-encode, compensated", "sd15", "sdxl", {64, 48}, 31.5}});
}
