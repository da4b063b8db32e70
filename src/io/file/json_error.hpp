// The JSON parser's complaints in words for a user.
#pragma once

#include <exception>
#include <string>
#include <string_view>

namespace lapis::io {

/// The reason in an exception of nlohmann::json, without its class name and without the text it last read, which may
/// be as long as the file.
inline std::string json_reason(const std::exception& error) {
  std::string_view text = error.what();
  if (const auto name_end = text.find("] "); name_end != std::string_view::npos) text.remove_prefix(name_end + 2);
  if (const auto input = text.find("; last read"); input != std::string_view::npos) text = text.substr(0, input);
  return std::string(text);
}

}  // namespace lapis::io
