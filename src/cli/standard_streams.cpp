#include "cli/standard_streams.hpp"

#include <algorithm>
#include <unistd.h>

#include "cli/terminal.hpp"
#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::cli {

void take_stdin(StdinUse& use, const std::string& word, const std::string& advice) {
  if (!use.word.empty()) {
    throw Error(ErrorKind::usage, core::sentence("{} and {} both want standard input.", use.word, word), advice);
  }
  use.word = word;
}

void check_stdin(const std::string& path, std::string_view what, std::string_view command) {
  if (path != "-" || isatty(STDIN_FILENO) == 0) return;
  throw Error(ErrorKind::usage, core::sentence("- would read {} from the terminal. Pipe it: {}", what, command));
}

void check_stdin_once(std::span<const std::string> paths) {
  if (std::ranges::count(paths, "-") < 2) return;
  throw Error(ErrorKind::usage,
              "- is named more than once, and standard input is read once. Put the others into files");
}

void check_stdout(const OutputOptions& options, std::string_view flag, std::string_view written) {
  if (options.json) {
    throw Error(ErrorKind::usage,
                core::sentence("--json and {} - both want standard output. Name a file with {}", flag, flag));
  }
  if (options.skip_existing) {
    throw Error(ErrorKind::usage, core::sentence("{skip_existing} is for files, and {} - is standard output. Name a "
                                                 "file with {}",
                                                 flag, flag));
  }
  if (stdout_is_terminal()) throw Error(ErrorKind::usage, core::sentence("{} - would write {}", flag, written));
}

}  // namespace lapis::cli
