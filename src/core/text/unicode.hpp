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

/// How many bytes the well-formed sequence has that `text`, which is not empty, begins with; 0 where it begins with
/// none.
std::size_t utf8_length(std::string_view text);

/// The code point of one well-formed sequence; of a byte that is none, the byte.
char32_t code_point(std::string_view sequence);

/// Whether a text with this character looks other than it is: controls (general category Cc), which terminals obey,
/// line and paragraph separators, and what formats and is not seen (Cf): marks of direction, joiners of zero width,
/// fillers, tags. The two joiners that languages and emoji are written with (U+200C, U+200D) are none of these.
bool is_unseen(char32_t point);

}  // namespace lapis::core
