#include <catch2/catch.hpp>
#include <string>

#include "io/file/foreign_json.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

std::string advice_of(const TemporaryFolder& folder, const std::string& document) {
  write_text(folder / "a.json", document);
  try {
    const ForeignJson json(folder / "a.json", "Take another.", 1000);
    return json.document().dump();
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::input);
    return error.what();
  }
}

}  // namespace

TEST_CASE("what Python writes for numbers that JSON has not is taken as text") {
  const TemporaryFolder folder;
  CHECK(
      advice_of(folder, R"({"a": -Infinity, "b": [Infinity, NaN, 1], "c": "NaN \" Infinity", "d": "\\", "e": NaN})") ==
      R"({"a":"-Infinity","b":["Infinity","NaN",1],"c":"NaN \" Infinity","d":"\\","e":"NaN"})");
}

TEST_CASE("keys that are null are taken for not there") {
  const TemporaryFolder folder;
  CHECK(advice_of(folder, R"({"a": null, "b": {"c": null}})") == R"({"b":{"c":null}})");
}

TEST_CASE("what is no object, no JSON or too long is refused with the file and the advice") {
  const TemporaryFolder folder;
  for (const std::string& document : {std::string("[1]"), std::string("{\"a\": -Infinit}"), std::string("{\"a"),
                                      std::string("\\"), "{\"a\": \"" + std::string(2000, 'x') + "\"}"}) {
    const std::string hints = advice_of(folder, document);
    CHECK_THAT(hints, Catch::Contains("a.json"));
    CHECK_THAT(hints, Catch::Contains("Take another."));
  }
}
