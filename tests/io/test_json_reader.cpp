#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "../folder.hpp"
#include "io/file/json_reader.hpp"
#include "support.hpp"

using namespace lapis::io;
using namespace lapis::io::test;
using lapis::ErrorKind;

namespace {

const JsonSource document_source{"a.json", ErrorKind::input, "Correct it.", 400'000};

nlohmann::json parse_text(const std::string& text) { return parse_json(text, document_source); }

void check_text_refused(const std::string& text, const std::string& reason) {
  check_fails(ErrorKind::input, {"a.json", reason, "\nCorrect it."}, [&] { parse_text(text); });
}

void check_value_refused(const std::string& text, const std::string& reason,
                         const std::function<void(const JsonValue&)>& use) {
  const nlohmann::json document = parse_text(text);
  check_fails(ErrorKind::input, {reason}, [&] { use(JsonValue(document, document_source)); });
}

}  // namespace

TEST_CASE("well-formed JSON is read") {
  CHECK(parse_text(R"({"a":[1,{"a":2}],"b":{"a":3}})").at("b").at("a") == 3);
  CHECK(parse_text(std::string(32, '[') + std::string(32, ']')).is_array());
}

TEST_CASE("JSON that parsers could read in two ways is refused") {
  check_text_refused(R"({"a":1,"a":2})", "the key \"a\" twice");
  check_text_refused(R"({"a":{"b":[{"c":1,"d":{},"c":2}]}})", "the key \"a.b.c\" twice");
  check_text_refused(R"({"a":1,"\u0061":2})", "the key \"a\" twice");
  check_text_refused(std::string("{}\0{}", 5), "NUL");
  check_text_refused("{}{}", "is no JSON");
  check_text_refused("\"\xFF\"", "is no JSON");
  check_text_refused("{\"a\":NaN}", "is no JSON");
  check_text_refused("", "is no JSON");
}

TEST_CASE("size and nesting are bounded") {
  check_text_refused(std::string(33, '[') + std::string(33, ']'), "nested too deeply");
  check_text_refused(std::string(100'000, '['), "nested too deeply");
  check_text_refused("[" + std::string(400'000, ' ') + "]", "400002 bytes");
}

TEST_CASE("a syntax error tells line and column, not the rest of the file") {
  check_text_refused("{\n  \"a\": tru }", "line 2, column 11");
  const auto error = error_of([] { parse_text("{\"a\":\"" + std::string(10'000, 'x')); });
  REQUIRE(error.has_value());
  CHECK(std::string(error->what()).size() < 300);
}

TEST_CASE("values of the right type are given out") {
  const auto document = parse_text(R"({"i":-3,"n":0.5,"t":"text","l":["a","b"],"c":"two"})");
  const JsonValue root(document, document_source);
  const std::vector<std::string> choices{"one", "two"};
  CHECK(root.at("i").integer(-3, 5) == -3);
  CHECK(root.at("n").number(0, 1) == 0.5);
  CHECK(root.at("i").number(-10, 1) == -3.0);
  CHECK(root.at("t").name() == "text");
  CHECK(root.at("l").items().size() == 2);
  CHECK(root.at("l").items()[1].text() == "b");
  CHECK(root.at("c").choice(choices) == 1);
  CHECK(root.members().size() == 5);
}

TEST_CASE("values of another type or range are refused with their place") {
  const std::vector<std::string> choices{"one", "three"};
  check_value_refused(R"({"a":{"b":[0,"x"]}})", "a.b[1] is \"x\", expected a whole number of 0 to 9",
                      [](const JsonValue& v) { (void)v.at("a").at("b").items()[1].integer(0, 9); });
  check_value_refused("[10]", "is 10, expected", [](const JsonValue& v) { (void)v.items()[0].integer(0, 9); });
  check_value_refused("[1.0]", "is 1.0, expected", [](const JsonValue& v) { (void)v.items()[0].integer(0, 9); });
  check_value_refused("[18446744073709551615]", "expected a whole number",
                      [](const JsonValue& v) { (void)v.items()[0].integer(-9, 9); });
  check_value_refused("[2.5]", "is 2.5, expected a number of 0 to 1",
                      [](const JsonValue& v) { (void)v.items()[0].number(0, 1); });
  check_value_refused("[true]", "is true, expected a number",
                      [](const JsonValue& v) { (void)v.items()[0].number(0, 1); });
  check_value_refused("[3]", "is 3, expected a text", [](const JsonValue& v) { (void)v.items()[0].text(); });
  check_value_refused("[\"\"]", "empty text", [](const JsonValue& v) { (void)v.items()[0].name(); });
  check_value_refused("[{}]", "is an object, expected a list", [](const JsonValue& v) { (void)v.items()[0].items(); });
  check_value_refused("[]", "the document is a list, expected an object",
                      [](const JsonValue& v) { (void)v.members(); });
  check_value_refused("{}", "the document lacks the key \"a\"", [](const JsonValue& v) { (void)v.at("a"); });
  check_value_refused("[\"tree\"]", "Did you mean \"three\"?",
                      [&](const JsonValue& v) { (void)v.items()[0].choice(choices); });
}

TEST_CASE("a digest is 64 lower-case hex digits") {
  const std::string digest = std::string(60, 'a') + "0189";
  const nlohmann::json document = digest;
  CHECK(JsonValue(document, document_source).sha256() == digest);
  for (const std::string& other : {digest + "0", digest.substr(1), "A" + digest.substr(1), std::string()}) {
    check_value_refused('"' + other + '"', "expected 64 lower-case hex digits", [](const auto& v) { v.sha256(); });
  }
}

TEST_CASE("keys in messages cannot drive a terminal") {
  check_value_refused(R"({"\u001b[2J\u0000":1})", "\\x1b[2J\\x00 is 1",
                      [](const JsonValue& v) { (void)v.members()[0].second.text(); });
}

TEST_CASE("keys are all known and all there") {
  const std::vector<std::string> keys{"width", "height"};
  const auto document = parse_text(R"({"width":1,"height":2})");
  CHECK_NOTHROW(JsonValue(document, document_source).expect_keys(keys));
  check_value_refused(R"({"width":1,"hieght":2})", "hieght is an unknown key. Did you mean \"height\"?",
                      [&](const JsonValue& v) { v.expect_keys(keys); });
  check_value_refused(R"({"width":1})", "lacks the key \"height\"", [&](const JsonValue& v) { v.expect_keys(keys); });
}

TEST_CASE("the fuzzer's corpus is read, and comes back, or is refused") {
  std::size_t read = 0;
  std::size_t refused = 0;
  for (const auto& entry : std::filesystem::directory_iterator(lapis::test::folder() / "fuzz/corpus/json")) {
    INFO(entry.path());
    const std::string text = read_text(entry.path());
    nlohmann::json document;
    const auto error = error_of([&] { document = parse_text(text); });
    if (error) {
      CHECK(error->kind() == ErrorKind::input);
      ++refused;
    } else {
      CHECK(parse_text(document.dump()) == document);
      ++read;
    }
  }
  CHECK(read > 0);
  CHECK(refused > 0);
}
