#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "io/checkpoint/peft_reader.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

PeftSettings settings_of(const std::string& text) { return read_peft_settings(text, "c.json"); }

void refused(const std::string& text, const std::vector<std::string>& says) {
  INFO(text);
  check_fails(ErrorKind::input, says, [&] { settings_of(text); });
}

}  // namespace

TEST_CASE("each part of a pipeline has its own numbers") {
  const PeftSettings settings = settings_of(R"({"unet.r": 4, "unet.lora_alpha": 2, "unet.use_rslora": true,
    "unet.alpha_pattern": {"to_q$": 8, "to_.": 3}, "unet.rank_pattern": {"to_q": 16}, "text_encoder.r": 2})");
  REQUIRE(settings.scales.size() == 2);
  const core::PeftScale& unet = settings.scales[0];
  CHECK(unet.part == "unet");
  CHECK(unet.alpha == 2);
  CHECK(unet.rank == 4);
  CHECK(unet.by_root);
  CHECK_FALSE((unet.dora || unet.bias));
  const PeftSettings more = settings_of(R"({"r": 4, "use_dora": true, "lora_bias": true})");
  CHECK((more.scales.front().dora && more.scales.front().bias));
  std::uint64_t steps = 100'000;
  CHECK(unet.alphas.find("attn1.to_q", steps) == 8);
  CHECK(unet.alphas.find("attn1.to_k", steps) == 3);
  CHECK(unet.ranks.find("attn1.to_q", steps) == 16);
  CHECK(settings.scales[1].part == "text_encoder");
  CHECK(settings.scales[1].alpha == 8);  // peft's own default
  CHECK(settings.unknown.count == 0);
}

TEST_CASE("of a pattern's keys the first in the file counts, not the first by name") {
  const PeftSettings settings = settings_of(R"({"r": 4, "alpha_pattern": {"to_q": 1, "attn1.to_q": 2}})");
  std::uint64_t steps = 100'000;
  CHECK(settings.scales.at(0).alphas.find("attn1.to_q", steps) == 1);
}

TEST_CASE("what changes more than the strength is refused with its key") {
  refused(R"({"peft_type": "VERA"})", {"c.json, peft_type", "VeRA"});
  refused(R"({"unet.r": 4, "unet.init_lora_weights": "pissa_niter_4"})", {"unet.init_lora_weights", "PiSSA"});
  for (const char* key : {"modules_to_save", "target_parameters", "trainable_token_indices", "layer_replication",
                          "alora_invocation_tokens"}) {
    refused(R"({"r": 4, ")" + std::string(key) + R"(": ["conv_in"]})", {key});
    CHECK(settings_of(R"({"r": 4, ")" + std::string(key) + R"(": null})").scales.size() == 1);
    CHECK(settings_of(R"({"r": 4, ")" + std::string(key) + R"(": []})").scales.size() == 1);
  }
  refused(R"({"r": 4, "bias": "all"})", {"bias", "biases"});
  CHECK(settings_of(R"({"r": 4, "bias": "none"})").scales.size() == 1);
  refused(R"({"r": 4, "use_qalora": true})", {"QA-LoRA"});
  CHECK(settings_of(R"({"r": 4, "use_qalora": false, "fan_in_fan_out": true, "use_dora": true, "lora_bias": true,
                 "init_lora_weights": "gaussian", "target_modules": ["to_q"], "loftq_config": {}})")
            .scales.size() == 1);
}

TEST_CASE("keys that nobody knows are told where they say something") {
  CHECK(settings_of(R"({"r": 4, "use_new": false, "new_list": []})").unknown.count == 0);
  CHECK(settings_of(R"({"unet.r": 4, "unet.use_new": true, "other": 3})").unknown.count == 2);
}

TEST_CASE("values of another type, broken patterns and documents are refused") {
  refused("{", {"c.json"});
  refused("[]", {"object"});
  refused(R"({"r": "4"})", {"r"});
  refused(R"({"r": 0})", {"r"});
  refused(R"({"r": 4, "alpha_pattern": {"to_q": null}})", {"to_q"});
  refused(R"({"r": 4, "alpha_pattern": ["to_q"]})", {"alpha_pattern"});
  refused(R"({"r": 4, "alpha_pattern": {"to_(q": 2}})", {"alpha_pattern", "\"to_(q\"", "lacks a \")\""});
  refused(R"json({"r": 4, "rank_pattern": {"(?=to_q)": 2}})json", {"rank_pattern", "does not read"});
}
