// Sentences for people: one text, with its values in their places.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

namespace lapis::core {

/// A sentence as it stands in the code. "{}" is a value, "{:.2f}" one in a form of the library fmt; "{steps}", "{-model}" and
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

/// What a sentence has in a place: text, which must live as long as the call, or a number. A bool and a single character
/// are none.
class SentenceValue {
 public:
  // NOLINTBEGIN(google-explicit-constructor): values are given as they are
  SentenceValue(std::string_view text) : value_(text) {}
  SentenceValue(const std::string& text) : value_(std::string_view(text)) {}
  SentenceValue(const char* text) : value_(std::string_view(text)) {}
  SentenceValue(double number) : value_(number) {}

  template <std::integral Number>
    requires(!std::same_as<Number, bool> && !std::same_as<Number, char>)
  SentenceValue(Number number) {
    if constexpr (std::is_signed_v<Number>) {
      value_ = std::int64_t{number};
    } else {
      value_ = std::uint64_t{number};
    }
  }
  // NOLINTEND(google-explicit-constructor)

  const auto& value() const { return value_; }

 private:
  std::variant<std::string_view, std::int64_t, std::uint64_t, double> value_;
};

/// The sentence of `text` with `values` in their places; what stands in a value is neither a place nor a name.
std::string sentence_of(std::string_view text, std::span<const SentenceValue> values);

/// `sentence_of` for a text whose places the compiler has counted.
template <typename... Values>
std::string sentence(std::type_identity_t<SentenceText<sizeof...(Values)>> text, const Values&... values) {
  return sentence_of(text.text(), std::array<SentenceValue, sizeof...(Values)>{SentenceValue(values)...});
}

/// The words in their order, with `separator` between each two.
std::string joined(std::span<const std::string> words, std::string_view separator = ", ");

/// The sizes of a tensor as a sentence shows them: "[1, 4, 64, 64]".
std::string shape_text(std::span<const std::int64_t> shape);

}  // namespace lapis::core
