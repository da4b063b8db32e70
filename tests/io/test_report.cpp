#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "io/report/report.hpp"
#include "support.hpp"

using namespace lapis::io;
using namespace lapis::io::test;
using Json = nlohmann::json;

namespace {

const Fields fields{{"prompt", std::string("a \"red\" house\n猫")}, {"steps", std::int64_t{20}}, {"guidance", 7.5}};

lapis::Model model_with_parts() {
  lapis::Model model;
  model.folder = "/models/tiny";
  model.name = "tiny";
  model.family = "sd15";
  model.space = {"sd15", 4, 8, 0.18215, 0, "tiny-sd15"};
  model.parts["denoiser"] = {"/models/tiny/graphs/denoiser.pt",
                             {"/models/tiny/unet/a.safetensors"},
                             {{"sample", "model", {"batch", std::int64_t{4}}}},
                             {}};
  model.files = {{"graphs/denoiser.pt", {std::string(64, 'a'), 10}}, {"unet/a.safetensors", {std::string(64, 'b'), 5}}};
  return model;
}

Json lapis_text_report(const std::string& text) {
  return Json::parse(picture_report("PNG", {8, 4, 8, {{"lapis", text}}})).at("texts").at("lapis");
}

}  // namespace

TEST_CASE("an output that stays has a line of its own") {
  const Json picture = Json::parse(skipped_line("a.png", 2));
  CHECK(picture.at("path") == "a.png");
  CHECK(picture.at("skipped") == true);
  CHECK(picture.at("index") == 2);
  CHECK(!Json::parse(skipped_line("a.safetensors", std::nullopt)).contains("index"));
  CHECK(!Json::parse(plan_report(fields, {})).contains("skipped"));
  CHECK(Json::parse(plan_report(fields, {}, std::vector<std::string>{})).at("skipped") == Json::array());
  CHECK(Json::parse(plan_report(fields, {}, std::vector<std::string>{"a.png"})).at("skipped") == Json{"a.png"});
}

TEST_CASE("a picture's line is one line of JSON with the fields as they are typed") {
  PictureReport report;
  report.path = "out/a.png";
  report.sha256 = "00ff";
  report.pixels_sha256 = "11ee";
  report.index = 2;
  report.fields = fields;
  report.width = 8;
  report.height = 4;
  report.notes = {"a.jpg was turned"};
  report.warnings = {"the prompt was cut"};
  report.timings.total = 1.23456789;
  const std::string line = picture_line(report);
  CHECK(line.find('\n') == std::string::npos);
  const Json json = Json::parse(line);
  CHECK(json.at("path") == "out/a.png");
  CHECK(json.at("pixels_sha256") == "11ee");
  CHECK(json.at("prompt") == "a \"red\" house\n猫");
  CHECK(json.at("steps").is_number_integer());
  CHECK(json.at("guidance") == 7.5);
  CHECK(json.at("size") == Json::parse("[8, 4]"));
  CHECK(json.at("notes").at(0) == "a.jpg was turned");
  CHECK(json.at("warnings").size() == 1);
  CHECK(json.at("timings").at("total") == 1.234568);
}

TEST_CASE("a line of latents says where they live and how far they are") {
  PictureReport report;
  report.path = "part.safetensors";
  report.fields = fields;
  report.width = 16;
  report.height = 8;
  lapis::Latent latent;
  latent.space = model_with_parts().space;
  latent.sigma = 2.5;
  latent.step = 7;
  const Json json = Json::parse(latent_line(report, latent));
  CHECK(json.at("path") == "part.safetensors");
  CHECK(json.at("steps") == 20);
  CHECK(json.at("space") == "sd15:tiny-sd15");
  CHECK(json.at("sigma") == 2.5);
  CHECK(json.at("step") == 7);
  CHECK(json.at("size") == Json::parse("[16, 8]"));
  CHECK_FALSE(json.contains("index"));
  CHECK(json.contains("timings"));
}

TEST_CASE("provenance has what decides the pixels, and neither time nor path") {
  lapis::Attachments added;
  added.embeddings = {{"glow", std::string(64, 'c')}};
  const Json json = Json::parse(provenance(fields, model_with_parts(), added));
  CHECK(json.at("job").at("steps") == 20);
  CHECK(json.at("model").at("files").at("unet/a.safetensors") == std::string(64, 'b'));
  CHECK(json.at("embeddings").at("glow") == std::string(64, 'c'));
  CHECK_FALSE(json.contains("timings"));
  CHECK(json.dump().find("/models") == std::string::npos);
}

TEST_CASE("a model's report adds sizes up and names paths below the folder") {
  const Json json = Json::parse(model_report(model_with_parts()));
  CHECK(json.at("bytes") == 15);
  CHECK(json.at("files") == 2);
  CHECK(json.at("parts").at("denoiser").at("graph") == "graphs/denoiser.pt");
  CHECK(json.at("parts").at("denoiser").at("inputs")[0].at("shape") == Json({"batch", 4}));
}

TEST_CASE("a model's report has its sampling, tokenizers and conditioning") {
  lapis::Model model = model_with_parts();
  model.tokenizers["tokenizer_2"].kind = lapis::TokenizerKind::t5;
  model.conditioning.rope_axes = {16, 56, 56};
  CHECK(Json::parse(model_report(model)).at("sampling").at("beta_end") == 0.012);
  model.sampling.zero_snr = true;
  CHECK(Json::parse(model_report(model)).at("sampling").at("zero_snr") == true);
  model.sampling.prediction = lapis::Prediction::flow;
  model.sampling.flow_shift.dynamic = true;
  const Json json = Json::parse(model_report(model));
  CHECK(json.at("sampling").at("flow_shift").at("max_tokens") == 4096);
  CHECK_FALSE(json.at("sampling").contains("beta_end"));
  CHECK(json.at("tokenizers").at("tokenizer_2").at("kind") == "t5");
  CHECK(json.at("conditioning").at("rope_axes") == Json({16, 56, 56}));
}

TEST_CASE("the lapis text of a PNG is shown as the document it is") {
  CHECK(lapis_text_report(R"({"job":{"seed":7}})").at("job").at("seed") == 7);
  const Json other = Json::parse(picture_report("PNG", {8, 4, 8, {{"parameters", "{}"}}}));
  CHECK(other.at("texts").at("parameters") == "{}");
  CHECK(other.at("width") == 8);
}

TEST_CASE("a lapis text that is no document stays a text") {
  CHECK(lapis_text_report("{broken") == "{broken");
  CHECK(lapis_text_report("[1]") == "[1]");
  const std::string deep = R"({"a":)" + std::string(200'000, '[') + std::string(200'000, ']') + "}";
  CHECK(lapis_text_report(deep) == deep);
}

TEST_CASE("tokens and tables are reported") {
  EncodedPrompts encoded;
  encoded.prompt["tokenizer"] = {{{{1, 2, 3}, {1, 1.5F, 1}}, {{1, 4, 3}, {1, 1, 1}}}, 2, "cut off", {}};
  const Json tokens = Json::parse(tokens_report(encoded, lapis::PromptSyntax::comfy, {"a warning"}));
  CHECK(tokens.at("tokens") == Json({1, 2, 3, 1, 4, 3}));
  CHECK(tokens.at("count") == 2);
  CHECK(tokens.at("cut") == "cut off");
  CHECK(tokens.at("chunks")[0] == Json({{"ids", {1, 2, 3}}, {"weights", {1, 1.5, 1}}}));
  CHECK(tokens.at("syntax") == "comfy");
  CHECK(tokens.at("warnings") == Json({"a warning"}));
  CHECK(tokens.at("tokenizers").at("tokenizer").at("chunks").size() == 2);
  CHECK(Json::parse(table_report({{"name", "order"}, {"euler", "1"}})) ==
        Json::parse(R"([{"name":"euler","order":"1"}])"));
  CHECK(table_report({{"name"}}) == "[]");
}
