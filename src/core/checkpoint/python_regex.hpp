// Regular expressions as Python's `re` reads them, as far as names of modules need them, with a bound on time and
// depth.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lapis::core {

/// A compiled expression, matched by keeping the set of all states it may be in (Thompson 1968): no expression makes
/// that slow, and none goes deep. Read are literals, `.`, sets, \d \w \s \b \A \Z and their opposites, groups,
/// alternatives, `^`, `$`, and all repetitions but possessive ones. Texts are taken byte by byte; a byte above ASCII
/// counts as a letter.
class PythonRegex {
 public:
  /// Throws Error{input} with a clause alone for what Python refuses, what is not read here (a look around, a
  /// back-reference, flags), more than `deepest` groups in one another, and more than `longest` states.
  explicit PythonRegex(std::string_view expression);

  /// Whether it matches at the beginning of `text`, as `re.match` tells. Takes one of `steps` for each state and byte;
  /// throws Error{input} with a clause alone where none is left.
  bool matches(std::string_view text, std::uint64_t& steps) const;

  /// Takes `count` of the steps that are left; throws Error{input} with a clause alone where there are fewer.
  static void take_steps(std::uint64_t& steps, std::uint64_t count);

  /// How many states the expression has.
  std::size_t size() const { return states_.size(); }

  static constexpr int deepest = 50;
  static constexpr std::size_t longest = 5000;

 private:
  friend class RegexCompiler;
  enum class Op : std::uint8_t { bytes, split, jump, word_edge, no_word_edge, start, end, last, found };

  struct State {
    Op op = Op::found;
    std::size_t first = 0;   ///< of `bytes`: which set; of `split` and `jump`: where it goes on
    std::size_t second = 0;  ///< of `split`: the other way
  };

  bool passes(Op op, std::string_view text, std::size_t at) const;

  std::vector<State> states_;
  std::vector<std::bitset<256>> sets_;
};

}  // namespace lapis::core
