// Sentences for people: one text, with its values in their places. The formatting library is not to be seen here: what
// libtorch includes brings another version of it.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

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

/// What stands at a place of a sentence: a text, a number or a character. Borrows the text.
class SentenceValue {
 public:
  using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, char>;

  template <typename Text>
  requires std::convertible_to<const Text&, std::string_view>
  explicit SentenceValue(const Text& text) : value_(std::string_view(text)) {}
  template <std::signed_integral Number>
  explicit SentenceValue(Number number) : value_(static_cast<std::int64_t>(number)) {}
  template <std::unsigned_integral Number>
  requires(!std::same_as<Number, bool>) explicit SentenceValue(Number number)
      : value_(static_cast<std::uint64_t>(number)) {}
  explicit SentenceValue(double number) : value_(number) {}
  explicit SentenceValue(char character) : value_(character) {}

  const Value& value() const { return value_; }

 private:
  Value value_;
};

/// The sentence of `text` with `values` in their places; what stands in a value is neither a place nor a name.
std::string sentence_of(std::string_view text, std::initializer_list<SentenceValue> values);

/// `sentence_of` for a text whose places the compiler has counted.
template <typename... Values>
std::string sentence(std::type_identity_t<SentenceText<sizeof...(Values)>> text, const Values&... values) {
  return sentence_of(text.text(), {SentenceValue(values)...});
}

/// The words in their order, with `separator` between each two.
std::string joined(std::span<const std::string> words, std::string_view separator = ", ");

/// The sizes of a tensor as a sentence shows them: "[1, 4, 64, 64]".
std::string shape_text(std::span<const std::int64_t> shape);

}  // namespace lapis::core
