#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/family/spaces.hpp"
#include "io/report/check_report.hpp"

using namespace lapis;
using namespace lapis::io;
using Json = nlohmann::json;

namespace {

core::RouteStep step(core::StepKind kind) {
  const Space space = core::parse_space("sd15");
  return {kind, space, space, {256, 128}};
}

std::vector<core::RouteStep> through_picture() {
  return {step(core::StepKind::decode), step(core::StepKind::encode), step(core::StepKind::measure)};
}

Checked checked(std::vector<core::RouteStep> steps, bool refused = false) {
  Checked result{"a.safetensors", "tiny-sdxl", "sd15:tiny-sd15", "sdxl:tiny-sdxl", {}};
  result.route.steps = std::move(steps);
  result.route.refused = refused;
  result.route.reason = "They differ.";
  return result;
}

}  // namespace

TEST_CASE("of several verdicts the costliest counts, and a refusal before all") {
  using core::Verdict;
  CHECK(overall({}) == Verdict::same);
  const std::vector<Checked> some = {checked({step(core::StepKind::pack)}), checked(through_picture()), checked({})};
  CHECK(overall(some) == Verdict::re_encode);
  const std::vector<Checked> refused = {checked({}, /*refused=*/true), checked(through_picture())};
  CHECK(overall(refused) == Verdict::refuse);
}

TEST_CASE("a check's document has every answer") {
  Checked one = checked(through_picture());
  one.route.size = {256, 128};
  one.pictures = 3;
  const Json json = Json::parse(check_report(std::vector<Checked>{one}));
  CHECK(json.at("verdict") == "re-encode");
  const Json& answer = json.at("checks").at(0);
  CHECK(answer.at("from") == "sd15:tiny-sd15");
  CHECK(answer.at("size") == Json::parse("[256, 128]"));
  CHECK(answer.at("steps") == Json::parse(R"(["decode by the VAE of sd15 to 256 x 128 pixels",
                                                      "encode by the VAE of sd15"])"));
  CHECK(answer.at("pictures") == 3);
  CHECK(answer.at("decodes") == 2);
  CHECK(answer.at("encodes") == 1);
  CHECK_FALSE(answer.contains("fits"));
}

TEST_CASE("what is not known is null, and what a latent may be is told in order") {
  Checked one = checked({}, /*refused=*/true);
  one.from.clear();
  one.fits = {{"sd15", Units::model, -3}, {"sdxl", Units::vae, -4}};
  const Json answer = Json::parse(check_report(std::vector<Checked>{one})).at("checks").at(0);
  CHECK(answer.at("from").is_null());
  CHECK(answer.at("size").is_null());
  CHECK(answer.at("fits").at(0) == Json::parse(R"({"space": "sd15", "units": "model"})"));
  CHECK(answer.at("fits").at(1).at("units") == "vae");
}
