#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "../io/support.hpp"
#include "latents.hpp"
#include "pipeline/decode_outputs.hpp"

using namespace lapis;
using namespace lapis::pipeline;

namespace {

DecodePlan preview_of(NamedLatent latent) {
  ModelCatalog catalog;
  DecodeAsked asked;
  asked.latent = std::move(latent);
  asked.preview = true;
  return plan_decode(std::move(asked), catalog);
}

NamedLatent latent() {
  ModelCatalog catalog;
  return test::latent_of(catalog.open("tiny-sd15"), 2);
}

}  // namespace

TEST_CASE("pictures of a latent are called as its file, in a folder that is named") {
  const io::test::TemporaryFolder folder;
  DecodePlan plan = preview_of(latent());
  const std::vector<Output> outputs = plan_decode_outputs(folder.path().string(), "x/a.safetensors", plan, {}, {});
  REQUIRE(outputs.size() == 2);
  CHECK(outputs[1].path == (folder / "a-1.png").string());
  CHECK(plan.wanted == std::vector<int>{0, 1});
  CHECK(plan_decode_outputs("", "-", plan, {}, {})[0].path == "latent-0.png");
}

TEST_CASE("a seed stands in a name only where the latent records one") {
  DecodePlan plan = preview_of(latent());
  CHECK_THROWS_WITH(plan_decode_outputs("{seed}.png", "a", plan, {}, {}),
                    Catch::Contains("records no seed. Use {index}"));
  plan.latent.latent.document.passport.job = R"({"job": {"seed": 40}})";
  CHECK(plan_decode_outputs("{seed}.png", "a", plan, {}, {})[1].path == "41.png");
}

TEST_CASE("pictures that stay are not decoded, and the others are written with a report") {
  const io::test::TemporaryFolder folder;
  io::test::write_text(folder / "a-0.png", "mine");
  Outlet outlet;
  outlet.policy.skip_existing = true;
  outlet.reports = true;
  DecodePlan plan = preview_of(latent());
  const std::vector<Output> outputs = plan_decode_outputs((folder / "a.png").string(), "a", plan, outlet, {});
  CHECK(plan.wanted == std::vector<int>{1});
  std::vector<Written> written;
  EngineDoor door({"cpu", "fp32", 1});  // which stays closed
  decode(plan, door, {},
         [&](const DecodedPicture& picture) { written.push_back(save(picture, plan, outputs, outlet)); });
  REQUIRE(written.size() == 1);
  CHECK(written.front().path == (folder / "a-1.png").string());
  CHECK_THAT(written.front().line, Catch::Contains("\"index\":1") && Catch::Contains("\"size\":[64,64]"));
  CHECK(io::test::read_text(folder / "a-1.png").substr(1, 3) == "PNG");
  CHECK(io::test::read_text(folder / "a-0.png") == "mine");
}
