// JSON as every file and every line of --json is written.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace lapis::io {

/// The document, on one line where `indent` is negative. JSON is UTF-8, and names of files need not be: a text that is
/// none stands as {"bytes": BASE64}, which `JsonValue::text` reads back; in a key its stray bytes stand as \xNN.
std::string json_text(const nlohmann::ordered_json& json, int indent = -1);

}  // namespace lapis::io
