#include <catch2/catch.hpp>
#include <string>

#include "io/prompt/prompt_file.hpp"
#include "support.hpp"

using namespace lapis::io;
using namespace lapis::io::test;
using lapis::ErrorKind;

namespace {

std::string from_file(const TemporaryFolder& folder, const std::string& content) {
  write_text(folder / "prompt.txt", content);
  return prompt_text("@" + (folder / "prompt.txt").string(), "--prompt");
}

}  // namespace

TEST_CASE("text is itself, and a backslash guards an @") {
  CHECK(prompt_text("a lake", "--prompt") == "a lake");
  CHECK(prompt_text("", "--prompt").empty());
  CHECK(prompt_text("\\@home", "--prompt") == "@home");
  CHECK(prompt_text("\\(a\\)", "--prompt") == "\\(a\\)");
  CHECK(reads_stdin("-"));
  CHECK(reads_stdin("@-"));
  CHECK_FALSE(reads_stdin("-a"));
}

TEST_CASE("@FILE is the file's content less its last line break and its byte order mark") {
  const TemporaryFolder folder;
  CHECK(from_file(folder, "a lake\n") == "a lake");
  CHECK(from_file(folder, "a lake\r\n") == "a lake");
  CHECK(from_file(folder, "one\ntwo\n\n") == "one\ntwo\n");
  CHECK(from_file(folder,
                  "\xEF\xBB\xBF"
                  "a \xC3\xBC") == "a \xC3\xBC");
  CHECK(from_file(folder, "").empty());
}

TEST_CASE("a file that is no prompt is an error of input that names flag and file") {
  const TemporaryFolder folder;
  const auto check_refused = [&](const std::string& argument, const std::vector<std::string>& parts) {
    check_fails(ErrorKind::input, parts, [&] { prompt_text(argument, "--negative-prompt"); });
  };
  check_refused("@" + (folder / "none.txt").string(), {"--negative-prompt", "none.txt", "no such file", "\\@"});
  check_refused("@" + folder.path().string(), {"cannot be read"});
  write_text(folder / "latin.txt", "caf\xE9");
  check_refused("@" + (folder / "latin.txt").string(), {"latin.txt", "byte 3", "UTF-8"});
  write_text(folder / "large.txt", std::string((1 << 20) + 1, 'a'));
  check_refused("@" + (folder / "large.txt").string(), {"larger than 1 MiB"});
}
