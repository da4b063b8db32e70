// Standard input and output in place of files, which a command line calls "-".
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/output_options.hpp"

namespace lapis::cli {

/// The one word of a command line that standard input is read for; empty: none.
struct StdinUse {
  std::string word;
};

/// Gives standard input to `word`. Throws Error{usage} where another has it, with `advice`.
void take_stdin(StdinUse& use, const std::string& word, const std::string& advice = "Put one into a file");

/// Throws Error{usage} where `path` is "-" and standard input is a terminal; `what` would be read from it ("a
/// picture"), `command` is the line that pipes it.
void check_stdin(const std::string& path, std::string_view what, std::string_view command);

/// Throws Error{usage} where more than one of `paths` is "-".
void check_stdin_once(std::span<const std::string> paths);

/// What is done about standard output where the file that `flag` names is "-". Throws Error{usage} for --json and
/// --skip-existing, and for bytes on a terminal; `written` says what they would be, and the line that pipes them ("a
/// latent to the terminal. Pipe it: ...").
void check_stdout(const OutputOptions& options, std::string_view flag, std::string_view written);

}  // namespace lapis::cli
