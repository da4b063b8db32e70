// Text that comes out of files, made fit for messages and for UTF-8.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace lapis::io {

/// The bytes of a file as characters; they stay whose they are.
inline std::string_view as_chars(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// `text` fit for a terminal, on one line: every byte stands as \xNN of what a terminal would obey, show as nothing or
/// in another order (`core::is_unseen`), and of what is no UTF-8. What goes beyond `longest` bytes is cut off, between
/// characters, and shown as "...".
std::string printable(std::string_view text, std::size_t longest = 80);

/// One character as `printable` shows it.
struct PrintablePiece {
  std::array<char, 16> text{};
  std::size_t size = 0;   ///< bytes of `text` that are in use
  std::size_t taken = 0;  ///< bytes that it stands for

  std::string_view shown() const { return {text.data(), size}; }
};

/// The first character of `text`, which is not empty. Allocates nothing.
PrintablePiece printable_piece(std::string_view text);

/// `printable(text)` in double quotes.
std::string in_quotes(std::string_view text);

/// A JSON document, of the same value, in which JSON's escapes stand for what `printable` escapes.
std::string printable_json(std::string_view json);

/// `text` in UTF-8: stray bytes stand as \xNN.
std::string utf8_text(std::string_view text);

/// `text`, taken as Latin-1, in UTF-8.
std::string utf8_from_latin1(std::string_view text);

/// `text` where it is UTF-8 already, else taken as Latin-1: what programs write where a standard says Latin-1.
std::string utf8_or_latin1(std::string_view text);

}  // namespace lapis::io
