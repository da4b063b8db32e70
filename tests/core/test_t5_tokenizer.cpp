#include <catch2/catch.hpp>
#include <string>

#include "core/prompt/t5_tokenizer.hpp"
#include "golden.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

TokenizerFacts t5_facts(int length) {
  TokenizerFacts facts;
  facts.kind = TokenizerKind::t5;
  facts.model = "tokenizer_2/spiece.model";
  facts.length = length;
  facts.end = 1;
  facts.pad = 0;
  facts.extra_ids = 100;
  return facts;
}

const std::string& vocabulary() {
  static const std::string bytes = test::read_text("data/mini_flux/tokenizer_2/spiece.model");
  return bytes;
}

std::string failure(const std::string& model, const TokenizerFacts& facts) {
  try {
    const T5Tokenizer tokenizer(model, facts);
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::model);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("T5 ids and counts equal transformers' T5Tokenizer") {
  const T5Tokenizer tokenizer(vocabulary(), t5_facts(64));
  const nlohmann::json cases = test::golden_cases("t5_tokenizer");
  REQUIRE(cases.size() >= 300);
  for (const nlohmann::json& golden : cases) {
    INFO("prompt: " << golden.at("prompt").dump().substr(0, 300));
    auto ids = golden.at("ids").get<std::vector<std::int64_t>>();
    ids.resize(64, 0);
    const Tokenized found = tokenizer.encode(golden.at("prompt").get<std::string>());
    CHECK(found.ids == ids);
    CHECK(found.count == golden.at("count").get<std::size_t>());
    CHECK(found.cut.empty() == (found.count <= 63));
    ++ids[found.count % 64];
    CHECK_FALSE(found.ids == ids);
  }
}

TEST_CASE("a long prompt keeps its end token, and the rest is shown as it was typed") {
  const T5Tokenizer whole(vocabulary(), t5_facts(64));
  const Tokenized both = whole.encode("the lake Dalí 🦊");
  REQUIRE(both.cut.empty());
  const Tokenized first = whole.encode("the lake");
  const T5Tokenizer tokenizer(vocabulary(), t5_facts(static_cast<int>(first.count) + 1));
  const Tokenized cut = tokenizer.encode("the lake Dalí 🦊");
  CHECK(cut.cut == "Dalí 🦊");
  CHECK(cut.count == both.count);
  CHECK(cut.ids.size() == first.count + 1);
  CHECK(cut.ids.back() == 1);
  CHECK(tokenizer.encode("the lake").cut.empty());
}

TEST_CASE("extra ids are words where a model has none") {
  TokenizerFacts facts = t5_facts(64);
  const Tokenized special = T5Tokenizer(vocabulary(), facts).encode("<extra_id_0>");
  CHECK(special.count == 1);
  CHECK(special.ids.front() == 999);
  facts.extra_ids = 0;
  CHECK(T5Tokenizer(vocabulary(), facts).encode("<extra_id_0>").count > 1);
}

TEST_CASE("a broken SentencePiece model is refused") {
  CHECK(failure(vocabulary(), t5_facts(64)).empty());
  CHECK_THAT(failure("", t5_facts(64)), Catch::StartsWith("tokenizer_2/spiece.model is no SentencePiece model"));
  CHECK_FALSE(failure("no model at all", t5_facts(64)).empty());
  CHECK_FALSE(failure(vocabulary().substr(0, vocabulary().size() / 2), t5_facts(64)).empty());
  CHECK_THAT(failure(vocabulary(), t5_facts(1)), Catch::Contains("length is 1"));
  TokenizerFacts facts = t5_facts(64);
  facts.pad = 900;
  CHECK_THAT(failure(vocabulary(), facts), Catch::Contains("special id 900 is not among the 900 pieces"));
}
