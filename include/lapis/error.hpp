// What goes wrong, in kinds that a script can tell apart.
#pragma once

#include <stdexcept>
#include <string>

namespace lapis {

/// One kind for each exit code a command can end with (docs/cli.md has the same table).
enum class ErrorKind {
  usage,         ///< 2: the command line or a job asks for something that makes no sense
  input,         ///< 3: an input file is malformed or unreadable
  incompatible,  ///< 4: latent, model, decoder and size do not go together
  model,         ///< 5: a model folder is broken or unsupported
  device,        ///< 6: the device is missing, or memory ran out
  numeric,       ///< 7: NaN, Inf or a flat picture came out
  output,        ///< 8: the output cannot be written
  internal,      ///< 70: a mistake of ours
};

/// The exit code of `kind`.
int exit_code(ErrorKind kind);

/// A failure a user meets. `what()` is one or two lines, without "error:" before or a newline after, that say what,
/// where, expected, found and what to do. Thrown in every room; caught in `main` alone.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& text) : std::runtime_error(text), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

}  // namespace lapis
