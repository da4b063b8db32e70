#include <catch2/catch.hpp>
#include <string>

#include "core/prompt/clip_tokenizer.hpp"
#include "golden.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

const Vocabulary& short_vocabulary() {
  static const Vocabulary vocabulary =
      nlohmann::json::parse(test::read_text("data/clip_vocabulary/vocab.json")).get<Vocabulary>();
  return vocabulary;
}

TokenizerFacts facts_of(const Vocabulary& vocabulary) {
  TokenizerFacts facts;
  facts.length = 77;
  facts.start = vocabulary.at("<|startoftext|>");
  facts.end = vocabulary.at("<|endoftext|>");
  facts.pad = facts.end;
  return facts;
}

ClipTokenizer short_tokenizer() {
  const Vocabulary& vocabulary = short_vocabulary();
  return {vocabulary, test::read_text("data/clip_vocabulary/merges.txt"), facts_of(vocabulary)};
}

std::string failure(const Vocabulary& vocabulary, const std::string& merges, const TokenizerFacts& facts) {
  try {
    const ClipTokenizer tokenizer(vocabulary, merges, facts);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::model);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("ids, counts and cut text equal transformers' CLIPTokenizer") {
  const ClipTokenizer tokenizer = short_tokenizer();
  const int pad = facts_of(short_vocabulary()).pad;
  const nlohmann::json cases = test::golden_cases("clip_tokenizer");
  REQUIRE(cases.size() >= 300);
  for (const nlohmann::json& golden : cases) {
    const auto prompt = golden.at("prompt").get<std::string>();
    INFO("prompt: " << golden.at("prompt").dump().substr(0, 300));
    auto ids = golden.at("ids").get<std::vector<std::int64_t>>();
    ids.resize(77, pad);
    const Tokenized found = tokenizer.encode(prompt);
    CHECK(found.ids == ids);
    CHECK(found.count == golden.at("count").get<std::size_t>());
    CHECK(found.cut == golden.at("cut").get<std::string>());
    ++ids[found.count % 77];
    CHECK_FALSE(found.ids == ids);
  }
}

TEST_CASE("the whole vocabulary of models/tokenizers gives transformers' ids") {
  const auto vocabulary =
      nlohmann::json::parse(test::read_text("../models/tokenizers/clip/vocab.json")).get<Vocabulary>();
  CHECK(vocabulary.size() == 49408);
  const ClipTokenizer tokenizer(vocabulary, test::read_text("../models/tokenizers/clip/merges.txt"),
                                facts_of(vocabulary));
  const auto ids_of = [&](std::string_view prompt) {
    const Tokenized found = tokenizer.encode(prompt);
    return std::vector<std::int64_t>(found.ids.begin() + 1,
                                     found.ids.begin() + 1 + static_cast<std::ptrdiff_t>(found.count));
  };
  using Ids = std::vector<std::int64_t>;
  CHECK(ids_of("An astronaut riding a horse on Mars, 4k") ==
        Ids{550, 18376, 6765, 320, 4558, 525, 7496, 267, 275, 330});
  CHECK(ids_of("Un petit chaton tr\xC3\xA8s mignon") == Ids{2271, 21276, 5355, 525, 635, 41210, 714, 20561});
  CHECK(ids_of("antidisestablishmentarianism supercalifragilistic") ==
        Ids{3120, 4262, 7726, 12658, 1585, 44351, 1642, 2857, 13093, 2076, 1561});
  CHECK(ids_of("\xF0\x9F\xA6\x8A\xF0\x9F\xA6\x8A") == Ids{6040, 232, 6040, 488});
}

TEST_CASE("a pad token of its own pads, and is special when typed") {
  const Vocabulary& vocabulary = short_vocabulary();
  TokenizerFacts facts = facts_of(vocabulary);
  facts.length = 6;
  facts.pad = vocabulary.at("!");
  const ClipTokenizer tokenizer(vocabulary, test::read_text("data/clip_vocabulary/merges.txt"), facts);
  const Tokenized found = tokenizer.encode("a!");
  const std::vector<std::int64_t> expected = {facts.start, vocabulary.at("a</w>"), facts.pad, facts.end, facts.pad,
                                              facts.pad};
  CHECK(found.ids == expected);
}

TEST_CASE("a byte outside the vocabulary is the end token") {
  const Vocabulary vocabulary = {{"a", 0}, {"a</w>", 1}, {"<|startoftext|>", 2}, {"<|endoftext|>", 3}};
  TokenizerFacts facts = facts_of(vocabulary);
  facts.length = 5;
  const ClipTokenizer tokenizer(vocabulary, "", facts);
  CHECK(tokenizer.encode("az").ids == std::vector<std::int64_t>{2, 0, 3, 3, 3});
}

TEST_CASE("a long prompt is cut after length - 2 tokens, and the rest is shown") {
  const Vocabulary& vocabulary = short_vocabulary();
  TokenizerFacts facts = facts_of(vocabulary);
  facts.length = 4;
  const ClipTokenizer tokenizer(vocabulary, test::read_text("data/clip_vocabulary/merges.txt"), facts);
  CHECK(tokenizer.encode("the the").cut.empty());
  const Tokenized found = tokenizer.encode("the the 4 (a)");
  CHECK(found.count == 6);
  CHECK(found.ids.size() == 4);
  CHECK(found.ids.back() == facts.end);
  CHECK(found.cut == "4 ( a )");
}

TEST_CASE("broken tokenizer files are refused with the line at fault") {
  const Vocabulary vocabulary = {{"a", 0},     {"b", 1},      {"ab", 2}, {"<|startoftext|>", 3}, {"<|endoftext|>", 4},
                                 {"b</w>", 5}, {"ab</w>", 6}, {"ba", 7}};
  const TokenizerFacts facts = facts_of(vocabulary);
  CHECK(failure(vocabulary, "#version: 0.2\na b\na b</w>\n", facts).empty());
  CHECK_THAT(failure(vocabulary, "#version: 0.2\na b\nab\n", facts), Catch::Contains("line 3 (\"ab\")"));
  CHECK_THAT(failure(vocabulary, "a b c\n", facts), Catch::Contains("line 1"));
  CHECK_THAT(failure(vocabulary, "a \n", facts), Catch::Contains("line 1"));
  CHECK_THAT(failure(vocabulary, " a\n", facts), Catch::Contains("line 1"));
  CHECK_THAT(failure(vocabulary, "a z\n", facts), Catch::Contains("\"z\" is not in the vocabulary"));
  CHECK_THAT(failure(vocabulary, "b b\n", facts), Catch::Contains("\"bb\" is not in the vocabulary"));
  TokenizerFacts other = facts;
  other.pad = 99;
  CHECK_THAT(failure(vocabulary, "a b\n", other), Catch::Contains("special id 99"));
  other = facts;
  other.length = 2;
  CHECK_THAT(failure(vocabulary, "a b\n", other), Catch::Contains("length is 2"));
}
