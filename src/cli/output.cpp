#include "cli/output.hpp"

#include "cli/terminal.hpp"
#include "io/atomic_file.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {

void check_stdout(bool json, const std::string& what, const std::string& command) {
  if (json) throw Error(ErrorKind::usage, "--json and -o - both want standard output. Name a file with -o");
  if (stdout_is_terminal()) {
    throw Error(ErrorKind::usage, "-o - would write " + what + " to the terminal. Pipe it: " + command);
  }
}

void write_output(const std::string& path, std::span<const std::byte> bytes, bool overwrite) {
  if (path == "-") {
    print_bytes(bytes);
  } else {
    io::write_file(path, bytes, overwrite);
  }
}

}  // namespace lapis::cli
