#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "core/checkpoint/peft_config.hpp"
#include "golden.hpp"

using namespace lapis::core;
using nlohmann::json;

TEST_CASE("every key of peft's configurations is heeded, of no effect, or refused") {
  std::set<std::string> known;
  std::size_t classes = 0;
  for (const json& one : lapis::test::golden_cases("peft")) {
    if (one.at("kind") != "config") continue;
    ++classes;
    for (const std::string field : one.at("fields")) {
      INFO(one.at("class") << ": " << field);
      CHECK(peft_key(field) != nullptr);
      known.insert(field);
    }
  }
  CHECK(classes == 3);
  for (const PeftKey& row : peft_keys()) {
    INFO(row.name);
    CHECK(known.contains(std::string(row.name)));
    CHECK((row.effect == PeftEffect::refused) == !row.why.empty());
    CHECK(peft_key(row.name) == &row);
  }
  CHECK(peft_key("lora_beta") == nullptr);
}

TEST_CASE("beginnings that change the model's weights are told from those that do not") {
  for (const char* name : {"gaussian", "eva", "orthogonal", "mica", "Gaussian"}) CHECK(peft_beginning(name).empty());
  for (const char* name : {"pissa", "pissa_niter_16", "olora", "OLoRA", "corda", "loftq", "lora_ga"}) {
    INFO(name);
    CHECK_THAT(peft_beginning(name), Catch::Contains("changes the model's own weights"));
  }
  CHECK_THAT(peft_beginning("something"), Catch::Contains("does not know"));
}
