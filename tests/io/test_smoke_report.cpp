#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "io/report/smoke_report.hpp"

using namespace lapis;
using namespace lapis::io;

namespace {

Image grey_picture(std::uint8_t value) { return {2, 2, std::vector<std::uint8_t>(12, value)}; }

SmokeReport sample_report() {
  SmokeReport report{"suite.json", "x86_64 avx2", {}, {"goldens/x.png belongs to no case"}, 1.5};
  SmokeCase passed;
  passed.name = "boat";
  passed.goldens.push_back({"boat.png", GoldenState::exact, "goldens/boat.png", {}, "", "", "", {}, {}});
  SmokeCase failed;
  failed.name = "house";
  failed.faults = {"house.png differs: <b> 50 % | x"};
  failed.again = "lapis smoke suite.json --filter house";
  failed.approve = "lapis smoke suite.json --update house";
  failed.goldens.push_back({"house.png",
                            GoldenState::differs,
                            "goldens/house.png",
                            {},
                            "out/house-actual.png",
                            "",
                            "",
                            grey_picture(10),
                            grey_picture(12)});
  report.cases = {passed, failed};
  return report;
}

}  // namespace

TEST_CASE("the JSON of a suite has counts, cases and faults") {
  const auto json = nlohmann::json::parse(smoke_json(sample_report()));
  CHECK(json["passed"] == false);
  CHECK(json["counts"]["failed"] == 1);
  CHECK(json["faults"].size() == 1);
  CHECK(json["cases"][0]["goldens"][0]["state"] == "exact");
  CHECK(json["cases"][1]["goldens"][0]["actual"] == "out/house-actual.png");
  CHECK(json["cases"][1]["memory"].is_null());
}

TEST_CASE("a test of JUnit fails as its case does, and faults of the suite are failures") {
  const JUnitSuite suite = smoke_junit(sample_report());
  REQUIRE(suite.cases.size() == 3);
  CHECK(suite.cases[0].outcome == JUnitOutcome::passed);
  CHECK(suite.cases[1].details.find("--update house") != std::string::npos);
  CHECK(suite.cases[2].outcome == JUnitOutcome::failed);
}

TEST_CASE("Markdown and annotations escape what their readers obey") {
  CHECK(smoke_markdown(sample_report()).find("&lt;b> 50 % \\| x") != std::string::npos);
  const std::vector<std::string> lines = smoke_annotations(sample_report());
  REQUIRE(lines.size() == 2);
  CHECK(lines[0] == "::error title=smoke test house::house.png differs: <b> 50 %25 | x");
}

TEST_CASE("the page has failures first, with their pictures, and needs nothing beside it") {
  const std::string page = smoke_page(sample_report());
  CHECK(page.find("house") < page.find("<h2>Passed"));
  CHECK(page.find("differs: &lt;b&gt;") != std::string::npos);
  CHECK(page.find("difference, times 16") != std::string::npos);
  CHECK(page.find("http") == std::string::npos);
  CHECK(page.find("--update house") != std::string::npos);
}

TEST_CASE("every state of a golden has its words") {
  for (const GoldenState state : {GoldenState::exact, GoldenState::within, GoldenState::differs, GoldenState::missing,
                                  GoldenState::added, GoldenState::also, GoldenState::replaced}) {
    CHECK(!state_text(state).empty());
  }
}
