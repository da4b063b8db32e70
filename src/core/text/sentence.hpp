// Sentences for people: one text, with its values in their places.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fmt/core.h>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace lapis::core {

/// A sentence as it stands in the code. "{}" is a value, "{:.2f}" one in a form of fmt's; "{steps}", "{-model}" and
/// "{lapis inspect}" are names, as `marked` has them; "{{" and "}}" are braces. That it has places for `Values` values
/// is checked by the compiler.
template <std::size_t Values>
class SentenceText {
 public:
  template <std::size_t Size>
  consteval SentenceText(const char (&text)[Size])  // NOLINT(google-explicit-constructor): a literal is one
      : text_(text, Size - 1) {
    if (places() != Values) throw "a sentence has a place for each value";
  }

  constexpr std::string_view text() const { return text_; }

 private:
  consteval std::size_t places() const {
    std::size_t count = 0;
    for (std::size_t i = 0; i + 1 < text_.size(); ++i) {
      if (text_[i] != '{') continue;
      if (text_[i + 1] == '}' || text_[i + 1] == ':') ++count;
      if (text_[i + 1] == '{') ++i;
    }
    return count;
  }

  std::string_view text_;
};

/// The sentence of `text` with `values` in their places; what stands in a value is neither a place nor a name.
std::string sentence_of(std::string_view text, fmt::format_args values);

/// `sentence_of` for a text whose places the compiler has counted.
template <typename... Values>
std::string sentence(std::type_identity_t<SentenceText<sizeof...(Values)>> text, const Values&... values) {
  return sentence_of(text.text(), fmt::make_format_args(values...));
}

/// The words in their order, with `separator` between each two.
std::string joined(std::span<const std::string> words, std::string_view separator = ", ");

/// The sizes of a tensor as a sentence shows them: "[1, 4, 64, 64]".
std::string shape_text(std::span<const std::int64_t> shape);

}  // namespace lapis::core
