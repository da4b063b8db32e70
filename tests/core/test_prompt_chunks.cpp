#include <catch2/catch.hpp>
#include <numeric>
#include <string>

#include "core/prompt/prompt_chunks.hpp"
#include "golden.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

ClipTokenizer tokenizer_of(int length) {
  const auto vocabulary = nlohmann::json::parse(test::read_text("data/clip_vocabulary/vocab.json")).get<Vocabulary>();
  TokenizerFacts facts;
  facts.length = length;
  facts.start = vocabulary.at("<|startoftext|>");
  facts.end = vocabulary.at("<|endoftext|>");
  facts.pad = vocabulary.at("!");  // one that is no end token, as SD2's and SDXL's second tokenizer have it
  return {vocabulary, test::read_text("data/clip_vocabulary/merges.txt"), facts};
}

ChunkedPrompt chunked(const ClipTokenizer& tokenizer, const std::string& text, PromptSyntax syntax,
                      std::span<const NamedIds> embeddings = {}) {
  return chunk_prompt(
      parse_prompt(text, syntax), syntax, clip_frame(tokenizer),
      [&](std::string_view part) { return tokenizer.tokens(part); }, embeddings);
}

std::string repeated(const std::string& text, int count) {
  std::string all;
  for (int i = 0; i < count; ++i) all += text;
  return all;
}

/// The chunk that a golden's ids and weights make in a frame.
TokenChunk framed(const nlohmann::json& golden, const ChunkFrame& frame) {
  TokenChunk chunk{{*frame.start}, {1}};
  for (const auto& id : golden.at("ids")) chunk.ids.push_back(id.get<std::int64_t>());
  for (const auto& weight : golden.at("weights")) chunk.weights.push_back(weight.get<float>());
  chunk.ids.push_back(frame.end);
  chunk.ids.resize(frame.length, frame.pad);
  chunk.weights.resize(frame.length, 1);
  return chunk;
}

double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double largest = a.size() == b.size() ? 0 : INFINITY;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  }
  return largest;
}

}  // namespace

TEST_CASE("segments, chunks and weights equal the rules written down in Python") {
  const nlohmann::json document = nlohmann::json::parse(test::read_text("golden/prompt_chunks.json"));
  const ClipTokenizer tokenizer = tokenizer_of(document.at("length").get<int>());
  const ChunkFrame frame = clip_frame(tokenizer);
  std::vector<NamedIds> embeddings;
  for (const auto& [name, ids] : document.at("embeddings").items()) embeddings.push_back({name, ids});
  REQUIRE(document.at("cases").size() >= 200);
  std::size_t several = 0;
  for (const nlohmann::json& golden : document.at("cases")) {
    const auto prompt = golden.at("prompt").get<std::string>();
    const PromptSyntax syntax = find_prompt_syntax(golden.at("syntax").get<std::string>()).syntax;
    INFO(golden.at("syntax") << ": " << prompt);
    std::vector<float> weights;
    for (const PromptSegment& segment : parse_prompt(prompt, syntax).segments) {
      const bool blank = segment.text.find_first_not_of(" \n") == std::string::npos;
      if (!blank) weights.push_back(segment.weight);
    }
    CHECK(largest_difference(weights, golden.at("weights").get<std::vector<float>>()) < 1e-5);
    const Tokens found = chunked(tokenizer, prompt, syntax, embeddings).chunks;
    REQUIRE(found.size() == golden.at("chunks").size());
    several += found.size() > 1 ? 1 : 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
      const TokenChunk expected = framed(golden.at("chunks")[i], frame);
      CHECK(found[i].ids == expected.ids);
      CHECK(largest_difference(found[i].weights, expected.weights) < 1e-5);
    }
  }
  CHECK(several > 50);
}

TEST_CASE("a plain prompt is what the tokenizer alone makes of it") {
  const ClipTokenizer tokenizer = tokenizer_of(12);
  for (const std::string& prompt : {std::string(), std::string("a (house:1.2), BREAK"), repeated("tree, ", 20)}) {
    const ChunkedPrompt found = chunked(tokenizer, prompt, PromptSyntax::plain);
    const Tokenized expected = tokenizer.encode(prompt);
    REQUIRE(found.chunks.size() == 1);
    CHECK(found.chunks.front().ids == expected.ids);
    CHECK(found.chunks.front().weights == std::vector<float>(12, 1.0F));
    CHECK(found.count == expected.count);
    CHECK(found.cut == expected.cut);
  }
}

TEST_CASE("a tokenizer of one chunk keeps the weights and cuts the rest") {
  const ClipTokenizer tokenizer = tokenizer_of(6);
  ChunkFrame frame{5, std::nullopt, 1, 0, std::nullopt, false};  // as a T5 tokenizer frames: no start
  const auto tokenize = [&](std::string_view text) { return tokenizer.tokens(text); };
  const ParsedPrompt prompt = parse_prompt("a (a a:2) BREAK a a", PromptSyntax::a1111);
  const ChunkedPrompt found = chunk_prompt(prompt, PromptSyntax::a1111, frame, tokenize);
  REQUIRE(found.chunks.size() == 1);
  const std::int64_t a = tokenizer.tokens("a").front().id;
  CHECK(found.chunks.front() == TokenChunk{{a, a, a, a, 1}, {1, 2, 2, 1, 1}});
  CHECK(found.count == 5);
  CHECK(found.cut == "a");
}

TEST_CASE("an embedding that no chunk can hold is refused") {
  const ClipTokenizer tokenizer = tokenizer_of(12);
  std::vector<std::int64_t> ids(11);
  std::iota(ids.begin(), ids.end(), 2000);
  const std::vector<NamedIds> embeddings = {{"big", ids}};
  CHECK_THROWS_WITH(chunked(tokenizer, "big", PromptSyntax::a1111, embeddings), Catch::Contains("11 vectors"));
  CHECK(chunked(tokenizer, "embedding:big", PromptSyntax::comfy, embeddings).chunks.size() == 2);
}

TEST_CASE("the empty prompt is one chunk of pads in every syntax") {
  const ClipTokenizer tokenizer = tokenizer_of(5);
  const TokenChunk empty = empty_chunk(clip_frame(tokenizer));
  CHECK(empty.ids == tokenizer.encode("").ids);
  for (const PromptSyntaxRow& row : prompt_syntaxes()) {
    CHECK(chunked(tokenizer, "", row.syntax).chunks == Tokens{empty});
  }
}
