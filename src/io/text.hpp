// Text that comes out of files, made fit for messages and for UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lapis::io {

/// `text` fit for a terminal: control characters stand as \xNN, in malformed UTF-8 every byte above 0x7F does, and what
/// goes beyond `longest` bytes is cut off and shown as "...".
std::string printable(std::string_view text, std::size_t longest = 80);

/// `printable(text)` in double quotes.
std::string in_quotes(std::string_view text);

/// `text`, taken as Latin-1, in UTF-8.
std::string utf8_from_latin1(std::string_view text);

}  // namespace lapis::io
