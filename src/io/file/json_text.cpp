#include "io/file/json_text.hpp"

#include <span>

#include "core/text/unicode.hpp"
#include "io/file/base64.hpp"
#include "io/file/text.hpp"

namespace lapis::io {
namespace {

using Json = nlohmann::ordered_json;

Json spelled(const Json& json) {
  if (json.is_string()) {
    const auto& text = json.get_ref<const std::string&>();
    if (!core::first_bad_utf8(text)) return json;
    return {{"bytes", base64(std::as_bytes(std::span(text)))}};
  }
  if (json.is_array()) {
    Json list = Json::array();
    for (const Json& item : json) list.push_back(spelled(item));
    return list;
  }
  if (!json.is_object()) return json;
  Json object = Json::object();
  for (const auto& [key, member] : json.items()) object[utf8_text(key)] = spelled(member);
  return object;
}

}  // namespace

std::string json_text(const Json& json, int indent) { return spelled(json).dump(indent); }

}  // namespace lapis::io
