#include <array>
#include <catch2/catch.hpp>
#include <string>

#include "core/text/suggest.hpp"

using namespace lapis::core;

TEST_CASE("edit distance counts inserted, dropped, replaced and swapped bytes") {
  struct Row {
    const char* a;
    const char* b;
    std::size_t distance;
  };
  const std::array<Row, 9> rows = {{
      {"", "", 0},
      {"", "abc", 3},
      {"abc", "", 3},
      {"width", "width", 0},
      {"widht", "width", 1},
      {"wdth", "width", 1},
      {"wiidth", "width", 1},
      {"kitten", "sitting", 3},
      {"ca", "abc", 3},
  }};
  for (const Row& row : rows) {
    INFO(row.a << " -> " << row.b);
    CHECK(edit_distance(row.a, row.b) == row.distance);
    CHECK(edit_distance(row.b, row.a) == row.distance);
  }
}

TEST_CASE("the closest name is offered, and nothing where no name is close") {
  const std::array<std::string, 5> names = {"width", "height", "steps", "sampler", "v"};
  CHECK(closest("widht", names) == "width");
  CHECK(closest("WIDTH", names) == "width");
  CHECK(closest("sampeler", names) == "sampler");
  CHECK(closest("step", names) == "steps");
  CHECK_FALSE(closest("guidance", names).has_value());
  CHECK_FALSE(closest("", names).has_value());
  CHECK_FALSE(closest("x", names).has_value());
  CHECK_FALSE(closest(std::string(10000, 'w'), names).has_value());
  CHECK_FALSE(closest("width", {}).has_value());
}

TEST_CASE("of names equally far the first is offered") {
  const std::array<std::string, 2> names = {"flat", "flap"};
  CHECK(closest("flax", names) == "flat");
}

TEST_CASE("the hint ends an error text") {
  const std::array<std::string, 1> names = {"euler"};
  CHECK(did_you_mean("eular", names) == " Did you mean \"euler\"?");
  CHECK(did_you_mean("heun", names).empty());
}

TEST_CASE("names are listed as a sentence") {
  const std::array<std::string, 3> names = {"a", "b", "c"};
  CHECK(listed(std::span(names).first(0)).empty());
  CHECK(listed(std::span(names).first(1)) == "\"a\"");
  CHECK(listed(std::span(names).first(2)) == "\"a\" and \"b\"");
  CHECK(listed(names) == "\"a\", \"b\" and \"c\"");
}

TEST_CASE("names are equal whatever their case") {
  CHECK(equal_ignoring_case("K_Euler", "k_euler"));
  CHECK_FALSE(equal_ignoring_case("euler", "euler a"));
  CHECK_FALSE(equal_ignoring_case("@", "`"));
}

TEST_CASE("what other tools call a thing is no misspelling of something else") {
  const std::array<std::string, 3> devices = {"auto", "cpu", "cuda"};
  const std::array<std::string, 4> dtypes = {"auto", "fp32", "bf16", "fp16"};
  CHECK(closest("gpu", devices) == "cuda");
  CHECK(closest("GPU", devices) == "cuda");
  CHECK(closest("float16", dtypes) == "fp16");
  CHECK(closest("bfloat16", dtypes) == "bf16");
  CHECK(closest("f32", std::array<std::string, 2>{"f32", "f16"}) == "f32");
}

TEST_CASE("names are the same in many spellings") {
  for (const char* name : {"DPM++ 2M", "dpmpp_2m", "dpm++2m", "DPMPP-2M", "dpmpp 2m"})
    CHECK(loose_name(name) == "dpmpp2m");
  CHECK(loose_name("tiny-SD1.5") == "tinysd15");
  CHECK(loose_name("\u00e9t\u00e9 1") == "\u00e9t\u00e91");
  CHECK(loose_name("_- ").empty());
}
