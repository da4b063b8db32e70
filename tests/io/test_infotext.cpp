#include <array>
#include <catch2/catch.hpp>
#include <string>

#include "../sample_model.hpp"
#include "io/picture/infotext.hpp"

using namespace lapis;
using namespace lapis::core;
using namespace lapis::io;

namespace {

ResolvedJob sample_job() {
  ResolvedJob job;
  job.prompt = "a lake at dawn, pines";
  job.negative_prompt = "fog: thick";
  job.width = 128;
  job.height = 192;
  job.steps = 20;
  job.guidance = 7.5;
  job.seed = 41;
  job.sampler = "euler";
  return job;
}

using Settings = std::vector<std::pair<std::string, std::string>>;

}  // namespace

TEST_CASE("a job is written as A1111 writes it") {
  const Infotext infotext =
      infotext_of(sample_job(), lapis::test::sample_model(), {}, {"0123456789", "abcdef0123"}, "lapis 0.1.0");
  CHECK(write_infotext(infotext) ==
        "a lake at dawn, pines\n"
        "Negative prompt: fog: thick\n"
        "Steps: 20, Sampler: Euler, Schedule type: Automatic, CFG scale: 7.5, Seed: 41, Size: 128x192, "
        "Model hash: 0123456789, Model: sample, VAE hash: abcdef0123, RNG: CPU, Version: lapis 0.1.0");
}

TEST_CASE("every kind of picture has its settings in the web UI's order, Steps first") {
  ResolvedJob job = sample_job();
  job.prompt_syntax = PromptSyntax::a1111;
  job.clip_skip = 2;
  job.embeddings = {"glow"};
  job.loras = {"style:0.5"};
  job.eta = 0.5;
  job.strength = 0.6;
  job.hires = 2;
  job.hires_steps = 9;
  job.hires_strength = 0.4;
  const Model model = lapis::test::sample_model();
  Attachments added;
  added.embeddings = {{"glow", std::string(64, 'a')}};
  added.loras = {{"style", std::string(64, 'a'), std::string(64, 'b'), 0.5, 0.5, false}};
  const Infotext all = infotext_of(job, model, added, {"0123456789", ""}, "lapis");
  std::string keys;
  for (const auto& [key, value] : all.settings) keys += key + "; ";
  CHECK(keys ==
        "Steps; Sampler; Schedule type; CFG scale; Seed; Size; Model hash; Model; Denoising strength; Clip skip; RNG; "
        "Prompt syntax; TI hashes; Lora hashes; Eta; Hires upscale; Hires steps; Hires Denoising strength; Version; ");
  CHECK(parse_infotext(write_infotext(all)).settings == all.settings);
}

TEST_CASE("a guidance that the denoiser reads is Forge's distilled one, and that of two passes the scale") {
  ResolvedJob job = sample_job();
  job.guidance = 3.5;
  job.true_guidance = 1;
  const std::string text = write_infotext(infotext_of(job, lapis::test::sample_model(), {}, {}, "lapis"));
  CHECK_THAT(text, Catch::Contains("Schedule type: Automatic, CFG scale: 1, Distilled CFG Scale: 3.5, Seed: 41"));
  job.true_guidance = 4;
  CHECK_THAT(write_infotext(infotext_of(job, lapis::test::sample_model(), {}, {}, "lapis")),
             Catch::Contains("CFG scale: 4, Distilled CFG Scale: 3.5"));
  job.true_guidance.reset();
  CHECK_THAT(write_infotext(infotext_of(job, lapis::test::sample_model(), {}, {}, "lapis")),
             Catch::Contains("CFG scale: 3.5, Seed") && !Catch::Contains("Distilled"));
}

TEST_CASE("syntax, clip skip and embeddings are written where they are not the web UI's default") {
  ResolvedJob job = sample_job();
  job.prompt_syntax = PromptSyntax::a1111;
  job.clip_skip = 2;
  job.embeddings = {"glow", "dark"};
  const Model model = lapis::test::sample_model();
  Attachments added;
  added.embeddings = {{"glow", std::string(64, 'a')}, {"dark", std::string(64, 'b')}};
  const std::string text = write_infotext(infotext_of(job, model, added, {}, "lapis"));
  CHECK_THAT(text, Catch::Contains("Clip skip: 2, RNG: CPU, Prompt syntax: a1111, "
                                   "TI hashes: \"glow: aaaaaaaaaaaa, dark: bbbbbbbbbbbb\", "));
  job.clip_skip = 1;
  CHECK_THAT(write_infotext(infotext_of(job, model, added, {}, "lapis")), !Catch::Contains("Clip skip"));
}

TEST_CASE("LoRAs have their hashes, and a tag where the prompt has none") {
  ResolvedJob job = sample_job();
  job.prompt = "a lake <lora:ink:0.25>";
  job.negative_prompt.clear();
  job.loras = {"style:0.5"};
  const Model model = lapis::test::sample_model();
  Attachments added;
  added.loras = {{"style", std::string(64, 'a'), std::string(64, 'b'), 0.5, 0.5, false},
                 {"ink", std::string(64, 'c'), std::string(64, 'd'), 0.25, 0.25, true}};
  const std::string text = write_infotext(infotext_of(job, model, added, {}, "lapis"));
  CHECK_THAT(text, Catch::StartsWith("a lake <lora:ink:0.25> <lora:style:0.5>\n"));
  CHECK_THAT(text, Catch::Contains("Lora hashes: \"style: bbbbbbbbbbbb, ink: dddddddddddd\", "));
  CHECK(infotext_of(resolved_fields(job, model), {}, added.loras, {}, "lapis") ==
        infotext_of(job, model, added, {}, "lapis"));
  added.loras.clear();
  CHECK_THAT(write_infotext(infotext_of(job, model, added, {}, "lapis")), !Catch::Contains("Lora hashes"));
}

TEST_CASE("recorded fields give the same text as the job they were recorded from") {
  ResolvedJob job = sample_job();
  job.prompt_syntax = PromptSyntax::a1111;
  job.clip_skip = 2;
  job.embeddings = {"glow"};
  const Model model = lapis::test::sample_model();
  Attachments added;
  added.embeddings = {{"glow", std::string(64, 'a')}};
  auto fields = resolved_fields(job, model);
  CHECK(infotext_of(fields, added.embeddings, {}, {}, "lapis") == infotext_of(job, model, added, {}, "lapis"));
  for (auto& [key, value] : fields) {
    if (key == "sampler") value = std::string("sampler_of_tomorrow");
  }
  fields.emplace_back("field_of_tomorrow", std::int64_t{3});
  const std::string text = write_infotext(infotext_of(fields, added.embeddings, {}, {}, "lapis"));
  CHECK_THAT(text, Catch::Contains("Sampler: sampler_of_tomorrow"));
  CHECK_THAT(text, !Catch::Contains("field_of_tomorrow"));
}

TEST_CASE("an empty prompt or negative prompt takes no line") {
  ResolvedJob job = sample_job();
  job.prompt = "";
  job.negative_prompt = "";
  const std::string text = write_infotext(infotext_of(job, lapis::test::sample_model(), {}, {}, "lapis"));
  CHECK_THAT(text, Catch::StartsWith("Steps: 20, "));
  CHECK(parse_infotext(text).prompt.empty());
}

TEST_CASE("settings that are written are read back") {
  Infotext infotext = infotext_of(sample_job(), lapis::test::sample_model(), {}, {}, "lapis");
  infotext.prompt = "first line\n\nthird, with (weights:1.2), \"quotes\" and 猫";
  infotext.negative_prompt = "one\ntwo: three";
  for (const char* value : {"a, b", "a: b", "two\nlines", "\"quoted\"", "\"open", " blanks ", "", "back\\slash, é"}) {
    infotext.settings.emplace_back("Extra value-1/2", value);
  }
  CHECK(parse_infotext(write_infotext(infotext)) == infotext);
  CHECK_FALSE(infotext_warning(infotext).has_value());
}

TEST_CASE("a value that needs it is a JSON string, in UTF-8") {
  const Settings settings = {{"First", "a, \"b\" \\ / \t\x01\x7F 猫"}, {"Second", "plain / \\ 猫"}, {"Third", ""}};
  const std::string text = write_infotext({"", "", settings});
  CHECK(text == "First: \"a, \\\"b\\\" \\\\ / \\t\\u0001\x7F 猫\", Second: plain / \\ 猫, Third: \"\"");
  CHECK(parse_infotext(text).settings == settings);
  ResolvedJob job = sample_job();
  Model model = lapis::test::sample_model();
  model.name = "stray \xE9";
  CHECK_THAT(write_infotext(infotext_of(job, model, {}, {}, "lapis")), Catch::Contains("Model: stray \\xe9, "));
}

TEST_CASE("the strings of other programs are read") {
  const auto value_of = [](const std::string& value) {
    return parse_infotext("Steps: 1, Seed: 2, Extra: " + value).settings.back().second;
  };
  CHECK(value_of(R"("\"\\\/\b\f\n\r\t")") == "\"\\/\b\f\n\r\t");
  CHECK(value_of(R"("\u00e9\u732B \ud83e\udd8a")") == "é猫 🦊");
  for (const char* none : {R"("a"b")", R"("\x")", R"("\u12")", R"("\u12g4")", "\"", "\"a"}) {
    CHECK(value_of(none) == none);
  }
}

TEST_CASE("A1111's own text is read") {
  const Infotext read = parse_infotext(
      "cat,\r\n  on a mat \nNegative prompt: dog\nbird\n"
      "Steps: 28, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 965400086, Size: 512x512, "
      "Model hash: 84d76a0328, Lora hashes: \"a: b1, c: d2\", Version: v1.9.0\n");
  CHECK(read.prompt == "cat,\non a mat");
  CHECK(read.negative_prompt == "dog\nbird");
  const Settings expected = {
      {"Steps", "28"},       {"Sampler", "DPM++ 2M"}, {"Schedule type", "Karras"},  {"CFG scale", "7"},
      {"Seed", "965400086"}, {"Size", "512x512"},     {"Model hash", "84d76a0328"}, {"Lora hashes", "a: b1, c: d2"},
      {"Version", "v1.9.0"}};
  CHECK(read.settings == expected);
}

TEST_CASE("any text of settings is read") {
  CHECK(parse_infotext("") == Infotext{});
  CHECK(parse_infotext(" \n \n").prompt.empty());
  CHECK(parse_infotext("just a prompt").prompt == "just a prompt");
  CHECK(parse_infotext("Steps: 20, Seed: 1").prompt == "Steps: 20, Seed: 1");
  CHECK(parse_infotext("Negative prompt:").negative_prompt.empty());
  CHECK(parse_infotext("x\n::,:\"a: \", b/: \\,cc:\"d\\").settings.empty());
  CHECK(parse_infotext("- Steps: 1, (Seed: 2, a: 3, bb: \"c\"d").settings ==
        Settings{{"Steps", "1"}, {"Seed", "2"}, {"bb", "\"c\"d"}});
  CHECK(parse_infotext("猫: 1, 猫猫: 2, é/: 3, dd: 4").settings == Settings{{"猫猫", "2"}, {"é/", "3"}, {"dd", "4"}});
  CHECK(parse_infotext(std::string(1000000, 'a') + ",").settings.empty());
}

TEST_CASE("a prompt that readers would not get back is warned of") {
  Infotext infotext = infotext_of(sample_job(), lapis::test::sample_model(), {}, {}, "lapis");
  CHECK_FALSE(infotext_warning(infotext).has_value());
  infotext.prompt = "a\n Negative prompt: b";
  CHECK_THAT(infotext_warning(infotext).value(), Catch::Contains("begins \"Negative prompt:\""));
  infotext.prompt = "a Negative prompt: b";
  CHECK_FALSE(infotext_warning(infotext).has_value());
  infotext.prompt = " a";
  CHECK_THAT(infotext_warning(infotext).value(), Catch::Contains("blanks"));
  infotext = {"a\nSteps: 1, Seed: 2, Size: 3", "", {}};
  CHECK_THAT(infotext_warning(infotext).value(), Catch::Contains("reads as settings"));
}
