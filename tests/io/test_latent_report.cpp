#include <catch2/catch.hpp>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "io/picture/infotext.hpp"
#include "io/report/latent_report.hpp"
#include "lapis/version.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using Json = nlohmann::json;

namespace {

const Space tiny = {"sd15", 4, 8, 0.18215, 0, "tiny-sd15"};
const Space other_space = {"sdxl", 4, 8, 0.13025, 0, "tiny-sdxl"};

Model small_model() {
  Model model;
  model.folder = "/models/tiny";
  model.name = "tiny";
  model.family = "sd15";
  model.space = tiny;
  return model;
}

Attachments glow() {
  Attachments added;
  added.embeddings = {{"glow", std::string(64, 'c')}};
  return added;
}

Fields fields_of(std::int64_t seed, std::int64_t batch) {
  return {{"prompt", std::string("a red house")},
          {"embeddings", std::vector<std::string>{"glow"}},
          {"steps", std::int64_t{20}},
          {"sampler", std::string("euler")},
          {"guidance", 7.5},
          {"seed", seed},
          {"width", std::int64_t{128}},
          {"height", std::int64_t{64}},
          {"model", std::string("tiny")},
          {"batch", batch},
          {"vae_tiling", std::string("on")}};
}

Passport generated(std::int64_t seed, std::int64_t batch) {
  Passport passport;
  passport.space = tiny;
  passport.shape = {batch, 4, 8, 16};
  passport.job = provenance(fields_of(seed, batch), small_model(), glow());
  return passport;
}

const Decoding own_decoding = {0, "tiny", tiny, false};

}  // namespace

TEST_CASE("a decoded picture has the texts of a generated one, each of a batch its own") {
  for (const int index : {0, 2}) {
    const PngText text = decoded_text(generated(7, 3), {index, "tiny", tiny, false});
    CHECK(text.lapis == provenance(fields_of(7 + index, 1), small_model(), glow()));
    CHECK(text.parameters == write_infotext(infotext_of(fields_of(7 + index, 1), glow().embeddings, {}, {},
                                                        std::string("lapis ") + version)));
  }
  CHECK_THAT(decoded_text(generated(7, 1), own_decoding).parameters,
             Catch::Contains("Seed: 7, Size: 128x64, Model: tiny"));
}

TEST_CASE("LoRAs of the job are in a decoded picture's texts") {
  Attachments added = glow();
  added.loras = {{"style", std::string(64, 'a'), std::string(64, 'b'), 0.5, 0.75, false}};
  Fields fields = fields_of(7, 1);
  fields.emplace_back("loras", std::vector<std::string>{"style:0.75"});
  Passport passport = generated(7, 1);
  passport.job = provenance(fields, small_model(), added);
  const PngText text = decoded_text(passport, own_decoding);
  CHECK_THAT(text.parameters, Catch::StartsWith("a red house <lora:style:0.5:0.75>\n"));
  CHECK_THAT(text.parameters, Catch::Contains("Lora hashes: \"style: bbbbbbbbbbbb\""));
}

TEST_CASE("hashes that were recorded of the model are in a decoded picture's settings") {
  Passport passport = generated(7, 1);
  CHECK_THAT(decoded_text(passport, own_decoding).parameters, !Catch::Contains("Model hash"));
  const std::string model = R"("hashes":{"model":"0123456789","vae":7},)";
  passport.job.insert(passport.job.find(R"("name":"tiny")"), model);
  CHECK_THAT(decoded_text(passport, own_decoding).parameters,
             Catch::Contains("Model hash: 0123456789, Model: tiny, RNG"));
}

TEST_CASE("history, both spaces of a forced decoding, and a preview are told") {
  Passport passport = generated(7, 1);
  passport.history.push_back({"re-encode", "sdxl:tiny-sdxl", "sd15:tiny-sd15", {128, 64}, 31.23});
  Json json = Json::parse(decoded_text(passport, own_decoding).lapis);
  CHECK(json.at("job").at("seed") == 7);
  CHECK(json.at("latent").at("space") == "sd15:tiny-sd15");
  CHECK(json.at("latent").at("history").at(0) ==
        Json::parse(R"({"route": "re-encode", "from": "sdxl:tiny-sdxl", "to": "sd15:tiny-sd15", "size": [128, 64],
                        "psnr": 31.23})"));
  CHECK_FALSE(json.contains("forced"));
  CHECK_FALSE(json.contains("preview"));
  json = Json::parse(decoded_text(passport, {0, "tiny-sdxl", other_space, true}).lapis);
  CHECK(json.at("forced").at("latent").at("scale") == 0.18215);
  CHECK(json.at("forced").at("vae").at("space") == "sdxl:tiny-sdxl");
  CHECK(json.at("forced").at("vae").at("model") == "tiny-sdxl");
  json = Json::parse(decoded_text(passport, {0, "", tiny, false}).lapis);
  CHECK(json.at("preview") == "sd15:tiny-sd15");
}

TEST_CASE("a latent without a job, or with one that is none, gives no parameters") {
  for (const std::string job : {"", "[1]", "{", R"({"job": 3})", R"({"seed": 3})"}) {
    CAPTURE(job);
    Passport passport;
    passport.space = tiny;
    passport.job = job;
    const PngText text = decoded_text(passport, own_decoding);
    CHECK(text.parameters.empty());
    CHECK(Json::parse(text.lapis).at("version") == version);
    CHECK_FALSE(recorded_number(passport, "seed"));
  }
  Passport deep;
  deep.job = R"({"job": {"prompt": )" + std::string(10000, '[') + std::string(10000, ']') + "}}";
  CHECK(decoded_text(deep, own_decoding).parameters.empty());
}

TEST_CASE("single settings are read back") {
  CHECK(recorded_number(generated(7, 1), "seed") == 7);
  CHECK(recorded_text(generated(7, 1), "vae_tiling") == "on");
  CHECK_FALSE(recorded_number(generated(7, 1), "prompt"));
  CHECK_FALSE(recorded_text(generated(7, 1), "seed"));
  CHECK_FALSE(recorded_text(generated(7, 1), "nothing"));
}

TEST_CASE("the job of encoded pictures names each by its digest, and a decoded picture its own") {
  Passport passport;
  passport.space = tiny;
  passport.job = encoding_job({"sha256:aa", "sha256:bb"}, {128, 64}, "crop", std::int64_t{5}, small_model());
  const Json json = Json::parse(passport.job);
  CHECK(json.at("job").at("image") == "sha256:aa,sha256:bb");
  CHECK(json.at("model").at("name") == "tiny");
  const PngText text = decoded_text(passport, {1, "tiny", tiny, false});
  CHECK(Json::parse(text.lapis).at("job").at("image") == "sha256:bb");
  CHECK(Json::parse(text.lapis).at("job").at("seed") == 6);
  CHECK(text.parameters.empty());
}

TEST_CASE("result lines are single lines with what docs/cli.md says") {
  DecodedReport decoded;
  decoded.path = "a.png";
  decoded.latent = "a.safetensors";
  decoded.passport = generated(7, 1);
  decoded.decoding = own_decoding;
  decoded.size = {128, 64};
  const std::string line = decoded_line(decoded);
  CHECK(line.find('\n') == std::string::npos);
  const Json json = Json::parse(line);
  CHECK(json.at("space") == "sd15:tiny-sd15");
  CHECK(json.at("vae") == "tiny");
  CHECK(json.at("forced") == false);
  CHECK(json.at("size") == Json::parse("[128, 64]"));

  LatentReport latent;
  latent.path = "b.safetensors";
  latent.format = LatentFormat::comfy;
  latent.passport = generated(7, 1);
  latent.passport.dtype = LatentDtype::f16;
  latent.from = "sdxl:tiny-sdxl";
  latent.route = "re-encode";
  latent.passport.history.push_back({"re-encode", "sdxl:tiny-sdxl", "sd15:tiny-sd15", {128, 64}, 31.23});
  latent.psnr = 31.23;
  latent.plain_psnr = 30.5;
  latent.compensated = 1;
  const Json converted = Json::parse(latent_file_line(latent));
  CHECK(converted.at("format") == "comfy");
  CHECK(converted.at("form") == "comfy");
  CHECK(converted.at("dtype") == "f16");
  CHECK(converted.at("psnr") == 31.23);
  CHECK(converted.at("psnr_plain") == 30.5);
  CHECK(converted.at("compensated") == 1);
  CHECK_FALSE(converted.contains("images"));
  latent.psnr = std::numeric_limits<double>::infinity();
  CHECK(Json::parse(latent_file_line(latent)).at("psnr") == "infinite");
  latent.psnr.reset();
  CHECK(Json::parse(latent_file_line(latent)).at("psnr").is_null());
  latent.from.clear();
  CHECK_FALSE(Json::parse(latent_file_line(latent)).contains("route"));
}

TEST_CASE("a drift is a document") {
  const Json drift = Json::parse(drift_report(small_model(), {{"bars", {64, 64}, 30.126, {1, -2, 0.5}, 0.25}}));
  CHECK(drift.at("drift").at(0).at("psnr") == 30.13);
  CHECK(drift.at("drift").at(0).at("shift").at(1) == -2);
  CHECK(drift.at("space") == "sd15:tiny-sd15");
}
