// What to type instead of words that mean nothing here.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "cli/declared.hpp"

namespace lapis::cli {

/// `begin` and the words, as a shell reads them back.
std::string line_of(const std::string& begin, Words words);

/// The words as one, in the double quotes that documents show where those will do; without the quotes of a typesetter.
std::string quoted_prompt(Words words);

/// What is wrong with a line, and a second line that says what to type.
struct Advice {
  std::string what;
  std::string type;  ///< empty: the command's help
};

/// An option that `command` has not. `value` is what seems to be its value.
Advice unknown_option(CLI::App& command, std::string_view flag, const Value& value);

/// A line whose first word is no command: `words` are all of them. `drawn`: it may be a prompt.
Advice unknown_command(CLI::App& app, Words words, bool drawn);

/// A line that begins with an option.
Advice leading_option(CLI::App& app, Words words);

/// An option of `command`, or of another tool, that has lost its hyphens: "-steps", or a long dash in their place, as
/// editors make of two. `next` is what stands behind it. None for any other word.
std::optional<Advice> lost_hyphens(CLI::App& command, std::string_view word, const Value& next);

}  // namespace lapis::cli
