#include <array>
#include <catch2/catch.hpp>
#include <unistd.h>

#include "io/file/file_descriptor.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

/// A pipe that holds `content`, which fits into it, and has nobody who writes.
FileDescriptor filled_pipe(const std::string& content) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const FileDescriptor writer(ends[1]);
  REQUIRE(::write(writer.number(), content.data(), content.size()) == static_cast<ssize_t>(content.size()));
  return FileDescriptor(ends[0]);
}

}  // namespace

TEST_CASE("everything in a pipe is read, whatever was expected") {
  const std::string content(10'000, 'a');
  for (const std::size_t expected : {0U, 1U, 9'999U, 10'000U, 10'001U}) {
    const FileDescriptor pipe = filled_pipe(content);
    CHECK(as_text(read_all(pipe.number(), "a", expected, [](auto) { return true; })) == content);
  }
}

TEST_CASE("reading ends where nobody wants more, and where it fails") {
  const FileDescriptor pipe = filled_pipe(std::string(1000, 'a'));
  CHECK(read_all(pipe.number(), "a", 9, [](auto bytes) { return bytes.size() < 20; }).size() == 20);
  check_fails(ErrorKind::input, {"a cannot be read: bad file descriptor."},
              [] { read_all(-1, "a", 0, [](auto) { return true; }); });
}
