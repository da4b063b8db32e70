#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string>

#include "io/report/inspection_report.hpp"

using namespace lapis;
using namespace lapis::io;
using Json = nlohmann::json;

namespace {

LatentInspection inspected() {
  LatentInspection latent;
  latent.name = "a.safetensors";
  latent.format = "lapis";
  latent.passport.space = {"sd15", 4, 8, 0.18215, 0, "tiny-sd15"};
  latent.passport.shape = {2, 4, 16, 32};
  latent.passport.dtype = LatentDtype::bf16;
  latent.statistics.channels = {{0.5, 1.25, -3, 4, 0}, {0, 0, 0, 0, 7}};
  return latent;
}

}  // namespace

TEST_CASE("a latent's document says what its passport says") {
  LatentInspection latent = inspected();
  latent.passport.job = R"({"job": {"prompt": "a lake"}})";
  latent.passport.history = {{"re-encode", "sdxl", "sd15:tiny-sd15", {256, 128}, 31.5},
                             {"rescale", "sdxl", "sdxl", {256, 128}, INFINITY},
                             {"rescale", "sdxl", "sdxl", {256, 128}, std::nullopt}};
  const Json json = Json::parse(inspection_report(latent));
  CHECK(json.at("space").at("lineage") == "tiny-sd15");
  CHECK(json.at("space").at("scale") == 0.18215);
  CHECK(json.at("units") == "model");
  CHECK(json.at("dtype") == "bf16");
  CHECK(json.at("shape") == Json::parse("[2, 4, 16, 32]"));
  CHECK(json.at("size") == Json::parse("[256, 128]"));
  CHECK(json.at("finished") == true);
  CHECK_FALSE(json.contains("step"));
  CHECK_FALSE(json.contains("fits"));
  CHECK(json.at("vae_sha256").is_null());
  CHECK(json.at("job").at("job").at("prompt") == "a lake");
  CHECK(json.at("history").at(0).at("psnr") == 31.5);
  CHECK(json.at("history").at(1).at("psnr") == "infinite");
  CHECK(json.at("history").at(2).at("psnr").is_null());
  CHECK(json.at("channels").at(0).at("deviation") == 1.25);
  CHECK(json.at("channels").at(1).at("not_finite") == 7);
}

TEST_CASE("a partially denoised latent's document says where it was left") {
  LatentInspection latent = inspected();
  latent.passport.sigma = 0.75;
  latent.passport.path = Path::flow;
  latent.passport.step = 3;
  latent.passport.draws = 4;
  const Json json = Json::parse(inspection_report(latent));
  CHECK(json.at("finished") == false);
  CHECK(json.at("sigma") == 0.75);
  CHECK(json.at("path") == "flow");
  CHECK(json.at("step") == 3);
  CHECK(json.at("draws") == 4);
}

TEST_CASE("what is not said is null, whatever stands in the passport") {
  LatentInspection latent = inspected();
  latent.has_space = false;
  latent.has_units = false;
  latent.has_size = false;
  latent.fits = {{"sd15", Units::model, 1}};
  const Json json = Json::parse(inspection_report(latent));
  for (const char* key : {"space", "units", "shape", "size", "job"}) CHECK(json.at(key).is_null());
  CHECK(json.at("fits").at(0).at("units") == "model");
}

TEST_CASE("a job that is no document, or too deep a one, stays a text") {
  LatentInspection latent = inspected();
  latent.passport.job = "{not json";
  CHECK(Json::parse(inspection_report(latent)).at("job") == "{not json");
  latent.passport.job = R"({"a":)" + std::string(10000, '[') + std::string(10000, ']') + "}";
  CHECK(Json::parse(inspection_report(latent)).at("job").is_string());
}
