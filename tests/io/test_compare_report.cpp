#include <catch2/catch.hpp>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "io/report/compare_report.hpp"

using namespace lapis;
using namespace lapis::io;
using Json = nlohmann::json;

namespace {

ComparedPair different_pair() {
  ComparedPair pair;
  pair.name = "a.png";
  pair.a = {"one/a.png", "PNG", {64, 48}, "aa", 8};
  pair.b = {"two/a.png", "PNG", {64, 48}, "bb", 8};
  core::Difference difference;
  difference.values = 9216;
  difference.different = 12;
  difference.above_fail = 12;
  difference.largest = 43;
  difference.mean = 0.01;
  difference.worst = {0, 0, 12, 40, 17, 60};
  difference.picture = core::PictureMeasures{3072, 9, 38.25, 0.9912, 0.0213, 3, 4};
  pair.difference = difference;
  pair.judgement = core::judge(difference, pair.tolerance);
  pair.changed = ChangedSettings{{{"steps", "20", "19"}}, {}, {}};
  pair.notes = {"a note"};
  return pair;
}

ComparedPair equal_pair() {
  ComparedPair pair;
  pair.name = "b.png";
  core::Difference difference;
  difference.values = 3;
  difference.picture = core::PictureMeasures{1, 0, std::numeric_limits<double>::infinity(), 1, 0, 0, 0};
  pair.difference = difference;
  return pair;
}

ComparedPair missing_pair() {
  ComparedPair pair;
  pair.name = "c.png";
  pair.a.path = "one/c.png";
  pair.judgement.breaches = {{"missing", "only one has it"}};
  return pair;
}

ComparedPair broken_pair() {
  ComparedPair pair;
  pair.name = "d.png";
  pair.error = Error(ErrorKind::input, "d.png is damaged.", "Give another file.");
  return pair;
}

}  // namespace

TEST_CASE("the document has every pair, and no number that JSON has not") {
  const std::vector<ComparedPair> pairs = {different_pair(), equal_pair(), missing_pair(), broken_pair()};
  const std::string text = compare_report("one", "two", pairs);
  CHECK(text.find('\n') == std::string::npos);
  const Json json = Json::parse(text);
  CHECK(json.at("equal") == false);
  CHECK(json.at("counts") == Json::parse(R"({"equal": 1, "different": 2, "errors": 1})"));
  const Json& first = json.at("pairs").at(0);
  CHECK(first.at("a") ==
        Json::parse(R"({"path": "one/a.png", "format": "PNG", "size": [64, 48], "bits": 8, "pixels_sha256": "aa"})"));
  CHECK(first.at("difference").at("largest") == 43);
  CHECK(first.at("difference").at("worst") == Json::parse(R"({"channel": 0, "x": 12, "y": 40, "a": 17, "b": 60})"));
  CHECK(first.at("difference").at("psnr") == 38.25);
  CHECK(first.at("breaches").at(0).at("threshold") == "hard_fail");
  CHECK(first.at("settings").at("text") == "steps 20 -> 19; models the same");
  CHECK(first.at("settings").at("job").at(0) == Json::parse(R"({"key": "steps", "a": "20", "b": "19"})"));
  CHECK(json.at("pairs").at(1).at("identical") == true);
  CHECK(json.at("pairs").at(1).at("difference").at("psnr") == "infinite");
  CHECK(json.at("pairs").at(1).at("difference").at("worst").is_null());
  CHECK(json.at("pairs").at(2).at("b").is_null());
  CHECK(json.at("pairs").at(2).at("difference").is_null());
  CHECK(json.at("pairs").at(3).at("error") == "d.png is damaged.\nGive another file.");
  CHECK(json.at("pairs").at(3).at("equal") == false);
}

TEST_CASE("each pair is a test, with what was measured") {
  const std::vector<ComparedPair> pairs = {different_pair(), equal_pair(), missing_pair(), broken_pair()};
  const JUnitSuite suite = compare_suite(pairs);
  REQUIRE(suite.cases.size() == 4);
  CHECK(suite.cases[0].outcome == JUnitOutcome::failed);
  CHECK(suite.cases[0].kind == "hard_fail");
  CHECK_THAT(suite.cases[0].details, Catch::Contains("PSNR: 38.2 dB\n") && Catch::Contains("settings: steps 20 -> 19"));
  CHECK(suite.cases[0].output == "a note");
  CHECK(suite.cases[1].outcome == JUnitOutcome::passed);
  CHECK(suite.cases[2].kind == "missing");
  CHECK(suite.cases[3].outcome == JUnitOutcome::error);
  CHECK(suite.cases[3].message == "d.png is damaged.");
}

TEST_CASE("identical files have no rows, and a latent those of its own") {
  CHECK(measure_rows(equal_pair()).empty());
  CHECK(measure_rows(different_pair()).size() == 8);
  ComparedPair latent = different_pair();
  latent.difference->picture = std::nullopt;
  latent.difference->relative = 0.25;
  const auto rows = measure_rows(latent);
  REQUIRE(rows.size() == 5);
  CHECK(rows[3] == std::vector<std::string>{"relative difference", "0.25"});
}
