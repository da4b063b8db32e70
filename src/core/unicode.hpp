// UTF-8, as prompts arrive.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace lapis::core {

/// The offset of the first byte that begins no well-formed UTF-8 sequence (Unicode 15, table 3-7: overlong forms,
/// surrogates and code points above U+10FFFF are malformed), or none where all of `text` is well formed.
std::optional<std::size_t> first_bad_utf8(std::string_view text);

/// `text` without the blanks at its ends: what Python's str.strip() takes away, Unicode's white space and the four
/// separators of ASCII.
std::string_view stripped(std::string_view text);

}  // namespace lapis::core
