#include <catch2/catch.hpp>
#include <string>
#include <vector>

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

TEST_CASE("things are sorted by their words, and nothing at all is refused") {
  CHECK_THROWS_WITH(check_asked({}, ""), Catch::Contains("there is nothing to check"));
  CHECK(check_asked({}, "tiny-sd15").vae == "tiny-sd15");
  const CheckAsked asked = check_asked({"tiny-sd15", "-", "a.safetensors"}, "");
  CHECK(asked.models == std::vector<std::string>{"tiny-sd15"});
  CHECK(asked.latents == std::vector<std::string>{"-", "a.safetensors"});
}

TEST_CASE("a finding is its verdict and what led to it, with the cost of all its pictures") {
  ModelCatalog catalog;
  std::vector<io::Checked> checks = check(check_asked({"tiny-sd15", "tiny-sdxl"}, ""), catalog);
  REQUIRE(checks.size() == 1);
  checks.front().pictures = 3;
  const std::vector<std::string> lines = finding_lines(checks.front());
  CHECK(lines.front() == "re-encode: latents of tiny-sd15 -> tiny-sdxl");
  CHECK(lines[2].starts_with("  1. "));
  CHECK(lines.back() == "  cost: 3 decodes and 3 encodes");
}
