#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "io/report/check_report.hpp"

using namespace lapis;
using namespace lapis::io;
using Json = nlohmann::json;

namespace {

Checked checked(core::Verdict verdict) {
  Checked result{"a.safetensors", "tiny-sdxl", "sd15:tiny-sd15", "sdxl:tiny-sdxl", {}};
  result.ruling.verdict = verdict;
  result.ruling.reason = "They differ.";
  return result;
}

}  // namespace

TEST_CASE("of several verdicts the costliest counts, and a refusal before all") {
  using core::Verdict;
  CHECK(overall({}) == Verdict::same);
  const std::vector<Checked> some = {checked(Verdict::repack), checked(Verdict::re_encode), checked(Verdict::same)};
  CHECK(overall(some) == Verdict::re_encode);
  const std::vector<Checked> refused = {checked(Verdict::refuse), checked(Verdict::re_encode)};
  CHECK(overall(refused) == Verdict::refuse);
}

TEST_CASE("a check's document has every answer") {
  Checked one = checked(core::Verdict::re_encode);
  one.ruling.steps = {"decode", "encode"};
  one.ruling.size = {256, 128};
  one.ruling.decodes = 1;
  one.ruling.encodes = 1;
  one.pictures = 3;
  const Json json = Json::parse(check_report(std::vector<Checked>{one}));
  CHECK(json.at("verdict") == "re-encode");
  const Json& answer = json.at("checks").at(0);
  CHECK(answer.at("from") == "sd15:tiny-sd15");
  CHECK(answer.at("size") == Json::parse("[256, 128]"));
  CHECK(answer.at("steps") == Json::parse(R"(["decode", "encode"])"));
  CHECK(answer.at("pictures") == 3);
  CHECK(answer.at("decodes") == 1);
  CHECK_FALSE(answer.contains("fits"));
}

TEST_CASE("what is not known is null, and what a latent may be is told with its confidence") {
  Checked one = checked(core::Verdict::refuse);
  one.from.clear();
  one.fits = {{"sd15", Units::model, 0.61239}, {"sdxl", Units::vae, 0.38761}};
  const Json answer = Json::parse(check_report(std::vector<Checked>{one})).at("checks").at(0);
  CHECK(answer.at("from").is_null());
  CHECK(answer.at("size").is_null());
  CHECK(answer.at("fits").at(0) == Json::parse(R"({"space": "sd15", "units": "model", "confidence": 0.612})"));
  CHECK(answer.at("fits").at(1).at("units") == "vae");
}
