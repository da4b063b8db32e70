#include <catch2/catch.hpp>
#include <string>

#include "core/latent/route.hpp"
#include "lapis/error.hpp"
#include "pipeline/check.hpp"

using namespace lapis;
using namespace lapis::pipeline;

TEST_CASE("what one model makes goes to the others, in the order in which they were named") {
  ModelCatalog catalog;
  CheckAsked asked;
  asked.models = {"tiny-sd15", "tiny-sdxl", "tiny-flux"};
  const auto checks = check(asked, catalog);
  REQUIRE(checks.size() == 2);
  CHECK(checks[0].destination == "tiny-sdxl");
  CHECK(checks[1].destination == "tiny-flux");
  for (const io::Checked& checked : checks) CHECK(core::verdict(checked.route) == core::Verdict::re_encode);
}

TEST_CASE("a model's size is checked against its multiple") {
  ModelCatalog catalog;
  CheckAsked asked;
  asked.models = {"tiny-flux"};
  asked.size = PixelSize{520, 512};
  asked.size_text = "520x512";
  CHECK(io::overall(check(asked, catalog)) == core::Verdict::refuse);
  asked.size = PixelSize{528, 512};
  CHECK(io::overall(check(asked, catalog)) != core::Verdict::refuse);
}

TEST_CASE("a decoder takes its own space and no other") {
  ModelCatalog catalog;
  CheckAsked asked;
  asked.models = {"tiny-sd15"};
  asked.vae = "tiny-sdxl";
  CHECK(io::overall(check(asked, catalog)) == core::Verdict::refuse);
  asked.vae = "tiny-sd15";
  CHECK(io::overall(check(asked, catalog)) != core::Verdict::refuse);
}

TEST_CASE("a target that is nothing is refused with what there is") {
  ModelCatalog catalog;
  CheckAsked asked;
  asked.models = {"tiny-sd15"};
  asked.to = "no-such-thing";
  CHECK_THROWS_AS(check(asked, catalog), Error);
}
