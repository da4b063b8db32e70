// JSON's strings (RFC 8259, section 7), for formats that quote with them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lapis::core {

/// `text` in quotes, with escapes only where JSON needs them. UTF-8 stays as it is.
std::string quote_json(std::string_view text);

/// What a quoted string stands for, or none where `quoted` is no JSON string. A lone surrogate escape becomes U+FFFD.
std::optional<std::string> unquote_json(std::string_view quoted);

}  // namespace lapis::core
