// What goes wrong, in kinds that a script can tell apart.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "lapis/api.hpp"

namespace lapis {

/// One kind for each exit code that a command fails with; docs/cli.md has the numbers.
enum class ErrorKind {
  usage,         ///< the command line or a job asks for something that makes no sense
  input,         ///< an input file is malformed or unreadable
  incompatible,  ///< latent, model, decoder and size do not go together
  model,         ///< a model folder is broken or unsupported
  device,        ///< the device is missing, or memory ran out
  numeric,       ///< NaN, Inf or a flat picture came out
  output,        ///< the output cannot be written
  internal,      ///< a bug of lapis
};

/// The exit code of `kind`.
LAPIS_API int exit_code(ErrorKind kind);

/// A failure a user meets: what went wrong and where, expected and found, and on a line of its own what to do. The
/// two lines come apart, so that a line break in either is known to be of a file's text. Fields of a job stand in it by
/// their keys, commands by their names ("steps is 0"). In the marked texts every such name stands between the control
/// characters 0x0E and 0x0F, "-" before a key that stands for its short flag and "lapis " before a command, for a
/// program that calls them something else.
class LAPIS_API Error : public std::runtime_error {
 public:
  /// Neither has "error:" before or a newline after it; both may have marked names. Without `advice` there is one line.
  Error(ErrorKind kind, const std::string& problem, const std::string& advice = "");

  ErrorKind kind() const { return kind_; }
  std::string problem() const;
  std::string advice() const;

  /// The two texts as they were given, names marked: what is thrown on, or spelled.
  const std::string& marked_problem() const { return marked_->problem; }
  const std::string& marked_advice() const { return marked_->advice; }

  /// Keys of the fields that it names, the problem's first, each once.
  std::vector<std::string> fields() const;

 private:
  struct Texts {
    std::string problem;
    std::string advice;
  };

  ErrorKind kind_;
  std::shared_ptr<const Texts> marked_;  ///< shared, so that a copy never throws
};

}  // namespace lapis
