#include "cli/output.hpp"

#include <filesystem>
#include <system_error>
#include <unistd.h>

#include "cli/terminal.hpp"
#include "core/text/sentence.hpp"
#include "io/file/atomic_file.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {

void check_stdin(const std::string& path, const std::string& what, const std::string& command) {
  if (path != "-" || isatty(STDIN_FILENO) == 0) return;
  throw Error(ErrorKind::usage, core::sentence("- would read {} from the terminal. Pipe it: {}", what, command));
}

std::string output_name(const std::string& path) { return path == "/dev/stdout" ? "-" : path; }

bool is_same_file(const std::string& one, const std::string& other) {
  std::error_code error;
  const std::filesystem::path a = std::filesystem::weakly_canonical(std::filesystem::absolute(one, error), error);
  const std::filesystem::path b = std::filesystem::weakly_canonical(std::filesystem::absolute(other, error), error);
  return !error && a == b && !std::filesystem::is_character_file(a, error);
}

void write_output(const std::string& path, std::span<const std::byte> bytes, bool overwrite) {
  if (path == "-") {
    print_bytes(bytes);
  } else {
    io::write_file(path, bytes, overwrite);
  }
}

}  // namespace lapis::cli
