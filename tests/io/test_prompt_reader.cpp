#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "../folder.hpp"
#include "core/text/names.hpp"
#include "io/file/safetensors.hpp"
#include "io/model/model_folder.hpp"
#include "io/prompt/prompt_reader.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

/// The bundled model, as one that does not say what it was taught.
Model tiny_model() {
  Model model = read_model(lapis::test::models() / "tiny-sd15");
  model.taught.reset();
  return model;
}

ResolvedJob job_of(const std::string& prompt, const std::string& negative, PromptSyntax syntax) {
  ResolvedJob job;
  job.prompt = prompt;
  job.negative_prompt = negative;
  job.prompt_syntax = syntax;
  return job;
}

}  // namespace

TEST_CASE("prompt and negative get one count of chunks, whichever is longer") {
  Tokenizers tokenizers;
  const std::string several = "a BREAK b BREAK c";
  for (const bool longer_prompt : {true, false}) {
    const Model model = tiny_model();
    Attachments added;
    ResolvedJob job = job_of(longer_prompt ? several : "a", longer_prompt ? "a" : several, PromptSyntax::a1111);
    PromptReader reader(model, added, job, {});
    const EncodedPrompts encoded = reader.encode(tokenizers);
    const Tokens& prompt = encoded.prompt.at("tokenizer").chunks;
    const Tokens& negative = encoded.negative.at("tokenizer").chunks;
    REQUIRE(prompt.size() == 3);
    REQUIRE(negative.size() == 3);
    CHECK((longer_prompt ? negative : prompt)[2] == encoded.empty.at("tokenizer"));
    CHECK((longer_prompt ? prompt : negative)[2] != encoded.empty.at("tokenizer"));
  }
}

TEST_CASE("warnings and refusals say which prompt they speak of") {
  const Model model = tiny_model();
  Attachments added;
  ResolvedJob job = job_of("a ( b", "c )", PromptSyntax::a1111);
  CHECK(PromptReader(model, added, job, {}).warnings().size() == 2);
  CHECK_THAT(PromptReader(model, added, job, {}).warnings()[0], Catch::StartsWith("the prompt, column 3: "));
  CHECK_THAT(PromptReader(model, added, job, {}).warnings()[1], Catch::StartsWith("the negative prompt, column 3: "));
  job = job_of("a", "[b|c]", PromptSyntax::a1111);
  check_fails(ErrorKind::usage, {"the negative prompt, column 1: [a|b]"}, [&] { PromptReader(model, added, job, {}); });
  job = job_of("a embedding:none", "", PromptSyntax::comfy);
  Tokenizers tokenizers;
  PromptReader reader(model, added, job, {});
  reader.encode(tokenizers);
  REQUIRE(reader.warnings().size() == 1);
  CHECK_THAT(reader.warnings()[0], Catch::Contains("embedding \"none\""));
}

TEST_CASE("a prompt of more chunks than are read is refused") {
  Tokenizers tokenizers;
  const auto encode = [&](int breaks) {
    std::string prompt = "a";
    for (int i = 0; i < breaks; ++i) prompt += " BREAK a";
    const Model model = tiny_model();
    Attachments added;
    ResolvedJob job = job_of(prompt, "", PromptSyntax::a1111);
    return PromptReader(model, added, job, {}).encode(tokenizers).prompt.at("tokenizer").chunks.size();
  };
  CHECK(encode(99) == 100);
  check_fails(ErrorKind::usage, {"101 chunks", "at most 100"}, [&] { encode(100); });
}

TEST_CASE("the prompt calls LoRAs, and the negative prompt none") {
  const Model model = tiny_model();
  Attachments added;
  ResolvedJob job = job_of("a house<lora:ink:0.5>", "<lora:fog:1>", PromptSyntax::a1111);
  const PromptReader reader(model, added, job, {});
  CHECK(reader.loras() == std::vector<core::LoraCall>{{"ink", {0.5, 0.5}}});
  REQUIRE(reader.warnings().size() == 1);
  CHECK_THAT(reader.warnings()[0], Catch::Contains("negative prompt calls <lora:fog:1>"));
}

TEST_CASE("only embeddings that a prompt calls are added, and one called by none is said") {
  const TemporaryFolder folder;
  const std::vector<std::byte> zeros(128 * 4);
  for (const char* name : {"glow.safetensors", "dark.safetensors"}) {
    write_safetensors(folder / name, {{{"emb_params", {Dtype::f32, {1, 128}, zeros}}}, {}}, false);
  }
  const Model model = tiny_model();
  Attachments added;
  ResolvedJob job = job_of("a house, glow", "", PromptSyntax::a1111);
  PromptReader reader(model, added, job, {folder.path().string()});
  CHECK(job.embeddings == std::vector<std::string>{"glow"});
  CHECK(added.embeddings.size() == 1);
  CHECK(reader.warnings().empty());
  Tokenizers tokenizers;
  const Tokens chunks = reader.encode(tokenizers).prompt.at("tokenizer").chunks;
  const std::vector<std::int64_t>& ids = chunks.front().ids;
  CHECK(std::count(ids.begin(), ids.end(), 1584) == 1);

  Attachments none;
  job = job_of("a house", "", PromptSyntax::a1111);
  PromptReader silent(model, none, job, {(folder / "glow.safetensors").string()});
  REQUIRE(silent.warnings().size() == 1);
  CHECK_THAT(silent.warnings()[0], Catch::StartsWith("no prompt calls the embedding glow"));
  CHECK(none.parts.empty());
}

TEST_CASE("words that a model was not taught are said in one warning") {
  Model model = tiny_model();
  const auto warnings = [&](const std::string& prompt, const std::string& negative) {
    Attachments added;
    ResolvedJob job = job_of(prompt, negative, PromptSyntax::a1111);
    return PromptReader(model, added, job, {}).warnings();
  };
  model.taught = {"lakes and shapes", {"a", "red", "house"}};
  CHECK(warnings("A (red:1.2) house<lora:ink:1>", "").empty());
  CHECK(warnings("", "").empty());
  CHECK(core::plain(warnings("a cat, a red bicycle, Cat", "fog").at(0)) ==
        "tiny-sd15 was taught lakes and shapes; it does not know: cat, bicycle, fog; see inspect tiny-sd15");
  CHECK(warnings("a cat, a red bicycle, Cat", "fog").size() == 1);
  CHECK_THAT(warnings("k l m n o p q r s t", "")[0], Catch::Contains("know: k, l, m, n, o, p, q, r, s, t; see"));
  CHECK_THAT(warnings("k l m n o p q r s t u", "v")[0], Catch::Contains("r, s, t and 2 more; see"));
  CHECK_THAT(warnings(std::string(300, 'x'), "")[0], Catch::Contains(std::string(40, 'x') + "...; see"));
  model.folder = "/some where/model";  // a name that is another model's
  CHECK_THAT(core::plain(warnings("cat", "")[0]), Catch::EndsWith("see inspect '/some where/model'"));
  model.taught.reset();
  CHECK(warnings("a cat", "").empty());
}
