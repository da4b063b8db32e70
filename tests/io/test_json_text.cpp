#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <string>

#include "io/file/json_reader.hpp"
#include "io/file/json_text.hpp"
#include "lapis/error.hpp"

using namespace lapis::io;
using OrderedJson = nlohmann::ordered_json;

namespace {

std::string read_back(const OrderedJson& document) {
  const JsonSource source{"a.json", lapis::ErrorKind::input, "Write it anew.", 1000};
  const nlohmann::json parsed = parse_json(json_text(document), source);
  return JsonValue(parsed, source).at("path").text();
}

}  // namespace

TEST_CASE("a text in UTF-8 stands as it is") {
  CHECK(json_text({{"path", "gr\xC3\xBCn\x1b\n"}, {"all", {1, "a", nullptr}}}) ==
        "{\"path\":\"gr\xC3\xBCn\\u001b\\n\",\"all\":[1,\"a\",null]}");
  CHECK(json_text({{"a", 1}}, 2) == "{\n  \"a\": 1\n}");
}

TEST_CASE("a text that is no UTF-8 keeps its bytes") {
  CHECK(json_text({{"path", "gr\xFCn.png"}}) == "{\"path\":{\"bytes\":\"Z3L8bi5wbmc=\"}}");
  CHECK(json_text({{"list", {"a", "\xFF"}}}) == "{\"list\":[\"a\",{\"bytes\":\"/w==\"}]}");
  CHECK(json_text({{"\xFF", 1}}) == "{\"\\\\xff\":1}");
  for (const std::string path : {"gr\xFCn.png", "\xFF", "a\xC3", "gr\xC3\xBCn.png", ""})
    CHECK(read_back({{"path", path}}) == path);
}

TEST_CASE("an object is a text only as json_text writes it") {
  for (const char* other :
       {R"({"bytes": "/w="})", R"({"bytes": 1})", R"({"bytes": "/w==", "text": "a"})", R"({"text": "/w=="})"}) {
    INFO(other);
    CHECK_THROWS_AS(read_back({{"path", OrderedJson::parse(other)}}), lapis::Error);
  }
}
