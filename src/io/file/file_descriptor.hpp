// An open file of the operating system.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

namespace lapis::io {

/// Owns one file descriptor; closes it when destroyed. Not for files written to: their close must be checked.
class FileDescriptor {
 public:
  explicit FileDescriptor(int number) : number_(number) {}
  ~FileDescriptor() {
    if (number_ >= 0) ::close(number_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  /// Negative where opening failed.
  int number() const { return number_; }

  /// Gives the descriptor up, to be closed by the caller.
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;
};

/// The operating system's words for an errno value, first letter small: "no space left on device".
inline std::string system_reason(int error_number) {
  std::string text = std::generic_category().message(error_number);
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

/// The name that standard input has in messages.
constexpr const char* standard_input = "standard input";

/// Everything that `descriptor` gives, a pipe's as well as a file's: to its end, or until `goes_on`, which is shown all
/// bytes so far after each piece, says no or throws. `expected` is how many will come, 0 where nobody knows. Throws
/// Error{input} where reading fails; `name` is the file that the error speaks of.
std::vector<std::byte> read_all(int descriptor, const std::string& name, std::size_t expected,
                                const std::function<bool(std::span<const std::byte>)>& goes_on);

}  // namespace lapis::io
