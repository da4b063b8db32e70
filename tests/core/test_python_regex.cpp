#include <catch2/catch.hpp>
#include <string>

#include "core/checkpoint/python_regex.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

constexpr std::uint64_t plenty = 10'000'000;

bool matches(const std::string& expression, const std::string& text) {
  std::uint64_t steps = plenty;
  return PythonRegex(expression).matches(text, steps);
}

}  // namespace

TEST_CASE("an expression matches from the beginning on, and need not reach the end") {
  CHECK(matches("ab", "abc"));
  CHECK_FALSE(matches("bc", "abc"));
  CHECK(matches("ab$", "ab"));
  CHECK_FALSE(matches("ab$", "abc"));
  CHECK(matches("", ""));
  CHECK(matches(".", "\xC3"));
  CHECK_FALSE(matches(".", "\n"));
}

TEST_CASE("expressions that take a backtracking engine for ever take a step for each state and byte") {
  const std::string text(500, 'a');
  for (const char* expression : {"(a*)*b", "((a+)+)+b", "(a|aa)+b", "(a|a)*b", "(.*)*x(.*)*y$", "(((a*)*)*)*b"}) {
    INFO(expression);
    std::uint64_t steps = plenty;
    CHECK_FALSE(PythonRegex(expression).matches(text, steps));
    CHECK(plenty - steps < 500 * 60);
  }
}

TEST_CASE("steps, states and depth are bounded") {
  std::uint64_t few = 100;
  CHECK_THROWS_WITH(PythonRegex("(a*)*b").matches(std::string(500, 'a'), few), Catch::Contains("too long to match"));
  CHECK_THROWS_WITH(PythonRegex("(((a{100}){100}){100}){100}"), Catch::Contains("too long"));
  CHECK_THROWS_WITH(PythonRegex("a{99999999999999999999}"), Catch::Contains("too long"));
  CHECK_THROWS_WITH(PythonRegex(std::string(100'000, '(')), Catch::Contains("too many groups"));
  CHECK_THROWS_WITH(PythonRegex(std::string(100'000, 'a')), Catch::Contains("too long"));
  CHECK(matches(std::string(50, '(') + "a" + std::string(50, ')'), "a"));
}

TEST_CASE("what is not read is refused, not taken for something else") {
  for (const char* expression :
       {"(?=a)", "(?!a)", "(?<=a)", "(?i)a", "(?i:a)", "(a)\\1", "(?>a)", "a*+", "\\x41", "(?#a)"}) {
    INFO(expression);
    CHECK_THROWS_AS(PythonRegex(expression), Error);
  }
}
