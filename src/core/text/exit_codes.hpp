// How a command can end, in numbers: one row a code. The help of the program, docs/cli.md and scripts go by them.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "lapis/error.hpp"

namespace lapis::core {

/// One row per exit code.
struct ExitCode {
  int code;
  std::optional<ErrorKind> kind;  ///< of the errors that end so; none for an end without an error
  std::string_view word;          ///< in the program's help: "input file"
  std::string_view when;          ///< in docs/cli.md
};

/// How a comparison of things that are not equal ends.
inline constexpr int differ_code = 1;

/// The rows, by code. What a signal ends has no row of its own but SIGINT, which people meet.
std::span<const ExitCode> exit_codes();

}  // namespace lapis::core
