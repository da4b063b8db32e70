#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "io/report/changed_settings.hpp"

using namespace lapis::io;
using Json = nlohmann::json;

namespace {

Json document() {
  return {{"version", "0.1"},
          {"job", {{"prompt", "a red house"}, {"steps", 20}, {"guidance", 7.5}, {"threads", 1}}},
          {"model", {{"name", "tiny"}, {"files", {{"unet/a.safetensors", std::string(64, 'a')}}}}},
          {"embeddings", Json::object()}};
}

std::string text_of(const Json& a, const Json& b) {
  const auto changed = changed_settings(a.dump(), b.dump());
  REQUIRE(changed);
  return changed_text(*changed);
}

}  // namespace

TEST_CASE("what two jobs say differently is said, field by field in the table's order") {
  Json other = document();
  CHECK(text_of(document(), other) == "settings the same; models the same");
  other["job"]["steps"] = 19;
  CHECK(text_of(document(), other) == "steps 20 -> 19; models the same");
  other["job"]["guidance"] = 5.25;
  other["job"]["prompt"] = "a blue boat";
  other["job"]["sampler"] = "euler";
  CHECK(
      text_of(document(), other) ==
      "prompt \"a red house\" -> \"a blue boat\", steps 20 -> 19, sampler none -> euler, guidance 7.5 -> 5.25; models "
      "the same");
}

TEST_CASE("models, embeddings and LoRAs differ by their digests") {
  Json other = document();
  other["job"]["model"] = "copy";
  other["model"]["name"] = "copy";
  CHECK_THAT(text_of(document(), other), Catch::EndsWith("; models the same"));
  other = document();
  other["model"]["files"]["unet/a.safetensors"] = std::string(64, 'b');
  other["embeddings"]["glow"] = std::string(64, 'c');
  other["loras"] = Json::array({{{"name", "line"}, {"sha256", std::string(64, 'd')}}});
  other["then"] = {{"files", {{"x", std::string(64, 'e')}}}};
  CHECK(text_of(document(), other) ==
        "settings the same; model: unet/a.safetensors aaaaaaaaaaaa -> bbbbbbbbbbbb, second model: x none -> "
        "eeeeeeeeeeee, embedding: glow none -> cccccccccccc, LoRA: line none -> dddddddddddd");
}

TEST_CASE("a LoRA of one file and another weight differs") {
  Json a = document();
  a["loras"] = Json::array({{{"name", "line"}, {"sha256", "ab"}, {"denoiser", 1.0}}});
  Json b = a;
  b["loras"][0]["denoiser"] = 0.5;
  CHECK(text_of(a, b) == "settings the same; LoRA: line ab, changed");
}

TEST_CASE("what else a record has counts, and so does the version, at the end") {
  Json other = document();
  other["forced"] = {{"latent", 1}};
  other["version"] = "0.2";
  CHECK(text_of(document(), other) == "forced none -> {\"latent\":1}; models the same; version 0.1 -> 0.2");
}

TEST_CASE("texts of strangers are cut, and cannot pass for lines of ours") {
  Json other = document();
  other["job"]["prompt"] = std::string(500, 'x') + "\nerror: no";
  const std::string text = text_of(document(), other);
  CHECK(text.size() < 200);
  CHECK(text.find('\n') == std::string::npos);
  for (int i = 0; i < 30; ++i) other["job"]["key" + std::to_string(i)] = i;
  CHECK_THAT(text_of(document(), other), Catch::Contains("23 more;"));
}

TEST_CASE("what is no record is none") {
  for (const char* text : {"", "{}", "[]", "nonsense", R"({"job": 1})", R"({"model": {}})"}) {
    INFO(text);
    const auto changed = changed_settings(text, document().dump());
    CHECK(changed.has_value() == (std::string(text) == R"({"job": 1})"));
  }
}
