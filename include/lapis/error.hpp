// What goes wrong, in kinds that a script can tell apart.
#pragma once

#include <cstddef>
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

/// A failure a user meets: what went wrong and where, expected and found, and on a line of its own what to do. The
/// two lines come apart, so that a line break in either is known for one of a stranger's text. Thrown in every room;
/// caught in `main` alone.
class Error : public std::runtime_error {
 public:
  /// Neither has "error:" before or a newline after it. Without `advice` there is one line.
  Error(ErrorKind kind, const std::string& problem, const std::string& advice = "")
      : std::runtime_error(advice.empty() ? problem : problem + "\n" + advice),
        kind_(kind),
        problem_size_(problem.size()) {}

  ErrorKind kind() const { return kind_; }
  std::string problem() const { return std::string(what(), problem_size_); }
  std::string advice() const { return std::string(what() + problem_size_ + (what()[problem_size_] == '\n' ? 1 : 0)); }

 private:
  ErrorKind kind_;
  std::size_t problem_size_;
};

}  // namespace lapis
