#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "pipeline/inspect_text.hpp"
#include "pipeline/model_catalog.hpp"

using namespace lapis;
using namespace lapis::pipeline;

namespace {

std::string fact_of(const Rows& rows, const std::string& name) {
  const auto row = std::ranges::find(rows, name, [](const std::vector<std::string>& each) { return each.front(); });
  return row == rows.end() ? "" : row->back();
}

}  // namespace

TEST_CASE("a model's facts are a line each, of either path") {
  ModelCatalog catalog;
  const Rows sd15 = model_rows(catalog.open("tiny-sd15"));
  CHECK(fact_of(sd15, "family") == "sd15");
  CHECK_THAT(fact_of(sd15, "sampling"), Catch::Contains("betas 0.00085 to 0.012"));
  CHECK(fact_of(sd15, "conditioning") == "none");
  CHECK_THAT(fact_of(model_rows(catalog.open("tiny-flux")), "sampling"), Catch::Contains("flow, 1000 steps, shift"));
  CHECK(fact_of(model_rows(catalog.open("tiny-sdxl")), "conditioning") == "an empty negative prompt is zeros");
  const Model& model = catalog.open("tiny-sd15");
  CHECK(part_lines(model).size() == 3 * model.parts.size());
  CHECK(part_lines(model)[0].starts_with("denoiser  "));
}

TEST_CASE("what a model was taught is shown in lines of some length") {
  ModelCatalog catalog;
  Model model = catalog.open("tiny-sd15");
  model.taught.reset();
  const std::size_t facts = model_rows(model).size();
  CHECK(fact_of(model_rows(model), "taught").empty());
  model.taught = {"lakes", {"a", "red", std::string(100, 'x')}};
  for (int i = 0; i < 40; ++i) model.taught->words.push_back("caf\u00E9" + std::to_string(i));
  const Rows rows = model_rows(model);
  CHECK(fact_of(rows, "taught") == "lakes");
  CHECK(fact_of(rows, "words") == "a, red,");
  CHECK(rows[facts + 2] == std::vector<std::string>{"", std::string(100, 'x') + ","});
  CHECK_THAT(rows[facts + 3].back(), Catch::StartsWith("caf\u00E90, caf\u00E91") && Catch::EndsWith("caf\u00E910,"));
  CHECK_THAT(rows.back().back(), Catch::EndsWith("caf\u00E939"));
}

TEST_CASE("a chunk shows its ids, and weights that are not 1") {
  CHECK(chunk_text({{49406, 320, 49407}, {1, 1.1F, 1}}) == "49406 320:1.1 49407");
}

TEST_CASE("a latent that does not say what it is has that said of it") {
  io::LatentInspection latent;
  latent.name = "a.npy";
  latent.format = "npy";
  latent.has_space = latent.has_units = latent.has_size = false;
  latent.passport.shape = {1, 16, 0, 0};
  const Rows rows = latent_rows(latent);
  CHECK_THAT(fact_of(rows, "space"), Catch::StartsWith("not said; its numbers "));
  CHECK_THAT(fact_of(rows, "numbers"),
             Catch::StartsWith("16 channels, sides not said, ") && Catch::EndsWith(", units not said"));
  CHECK(fact_of(rows, "state") == "finished");
  CHECK(fact_of(rows, "vae") == "no digest");
  CHECK(fact_of(rows, "picture").empty());
}

TEST_CASE("a channel's numbers have four digits") {
  io::LatentInspection latent;
  core::ChannelStatistics channel;
  channel.mean = -0.12345;
  channel.max = 2;
  latent.statistics.channels = {channel};
  const Rows rows = channel_rows(latent);
  REQUIRE(rows.size() == 2);
  CHECK(rows[1] == std::vector<std::string>{"0", "-0.1235", "0.0000", "0.0000", "2.0000", "0"});
}

TEST_CASE("several pictures have their mean behind them, and one has none") {
  const io::Drift drift{"a.png", {96, 64}, 30, {1, 2, 3}, 0.5};
  io::Drift other = drift;
  other.psnr = 40;
  other.shift = {-1, 0, 1};
  CHECK(drift_rows({drift}).size() == 2);
  const Rows rows = drift_rows({drift, other});
  REQUIRE(rows.size() == 4);
  CHECK(rows[1] == std::vector<std::string>{"a.png", "96 x 64", "30.00", "+1.00", "+2.00", "+3.00", "50.00"});
  CHECK(rows[3] == std::vector<std::string>{"mean", "", "35.00", "+0.00", "+1.00", "+2.00", "50.00"});
}
