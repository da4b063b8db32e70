#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/checkpoint/peft_patterns.hpp"
#include "golden.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::core;
using nlohmann::json;

namespace {

std::optional<double> found(const std::vector<std::string>& keys, const std::string& module) {
  PeftPatterns patterns;
  for (std::size_t i = 0; i < keys.size(); ++i) patterns.add(keys[i], static_cast<double>(i));
  std::uint64_t steps = 1'000'000;
  return patterns.find(module, steps);
}

}  // namespace

TEST_CASE("keys of a pattern are for the modules that peft takes them for") {
  const json golden = json::parse(lapis::test::read_text("golden/peft.json"));
  const auto modules = golden.at("modules").get<std::vector<std::string>>();
  std::size_t matched = 0;
  std::size_t refused = 0;
  for (const json& one : golden.at("cases")) {
    if (one.at("kind") != "pattern") continue;
    const std::string key = one.at("key");
    INFO(key);
    if (one.contains("error")) {
      CHECK_THROWS_AS(found({key}, ""), Error);
      ++refused;
      continue;
    }
    if (key.find("\\x") != std::string::npos) continue;  // refused here, though Python reads it
    for (std::size_t i = 0; i < modules.size(); ++i) {
      INFO(modules[i]);
      const bool expected = one.at("matches").at(i) != 0;
      CHECK(found({key}, modules[i]).has_value() == expected);
      matched += expected ? 1 : 0;
    }
  }
  CHECK(matched > 300);
  CHECK(refused >= 18);
}

TEST_CASE("memory and time of all keys together are bounded") {
  PeftPatterns patterns;
  const auto add_many = [&] {
    for (int i = 0; i < 100'000; ++i) patterns.add("a{4900}", i);
  };
  CHECK_THROWS_AS(add_many(), Error);
  PeftPatterns plain;
  for (int i = 0; i < 1000; ++i) plain.add("to_k_" + std::to_string(i), i);
  std::uint64_t steps = 1500;
  CHECK(plain.find("to_q", steps) == std::nullopt);
  CHECK_THROWS_AS(plain.find("to_q", steps), Error);
}

TEST_CASE("the first key that is for a module counts") {
  CHECK(found({"to_k", "to_q", ".*"}, "attn1.to_q") == 1);
  CHECK(found({".*", "to_q"}, "attn1.to_q") == 0);
  CHECK(found({"^to_q"}, "attn1.to_q") == std::nullopt);
  CHECK(found({}, "attn1.to_q") == std::nullopt);
}
