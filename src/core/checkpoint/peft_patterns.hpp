// Numbers that peft's configuration gives to some modules: `alpha_pattern` and `rank_pattern`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/checkpoint/python_regex.hpp"

namespace lapis::core {

/// Keys are regular expressions; one is for a module whose name, or whose end behind a dot, all of it matches. The
/// first that does counts (peft.utils.other.get_pattern_key: `re.match(rf"(.*\.)?({key})$", name)`).
class PeftPatterns {
 public:
  /// Throws Error{input} with a clause alone as `PythonRegex` does, and where all keys take more than `most_states`.
  void add(const std::string& key, double number);

  /// The number for `module`; `steps` and what is thrown as of `PythonRegex::matches`.
  std::optional<double> find(std::string_view module, std::uint64_t& steps) const;

  static constexpr std::size_t most_states = 200'000;

 private:
  struct Row {
    std::string plain;                 ///< a key of letters, digits, '_' and '.', which stands for any character
    std::optional<PythonRegex> regex;  ///< of any other key
    double number = 0;
  };

  std::vector<Row> rows_;
  std::size_t states_ = 0;  ///< of all rows; a plain key counts as one
};

}  // namespace lapis::core
