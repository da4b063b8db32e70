#include <catch2/catch.hpp>
#include <filesystem>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include "io/file/run_lock.hpp"
#include "lapis/error.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

TEST_CASE("one has a lock, another reads who, and the file goes with the first") {
  const TemporaryFolder folder;
  {
    RunLock first(folder / "a.lock");
    REQUIRE(first.acquire());
    first.write("the first, with more words");
    first.write("the first");
    RunLock second(folder / "a.lock");
    CHECK_FALSE(second.acquire());
    CHECK(second.text() == "the first");
  }
  CHECK(folder.names().empty());
}

TEST_CASE("a lock whose process was killed is free, and says what it said") {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    RunLock lock(folder / "a.lock");
    lock.acquire();
    lock.write("at hand");
    ::_exit(0);  // no destructor runs
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  RunLock lock(folder / "a.lock");
  CHECK(lock.acquire());
  CHECK(lock.text() == "at hand");
}

TEST_CASE("a text that stays is there for the next, until that writes in its place") {
  const TemporaryFolder folder;
  {
    RunLock lock(folder / "a.lock");
    lock.acquire();
    lock.write("at hand", /*stays=*/true);
  }
  {
    RunLock next(folder / "a.lock");
    CHECK(next.acquire());
    CHECK(next.text() == "at hand");
  }
  {
    RunLock last(folder / "a.lock");
    CHECK(last.acquire());
    last.write("nothing");
  }
  CHECK(folder.names().empty());
}

TEST_CASE("a text of any length is whole, and a shorter one takes its place") {
  const TemporaryFolder folder;
  RunLock lock(folder / "a.lock");
  REQUIRE(lock.acquire());
  for (const std::size_t length : {std::size_t{20000}, std::size_t{16384}, std::size_t{3}}) {
    lock.write(std::string(length, 'x'));
    CHECK(RunLock(folder / "a.lock").text() == std::string(length, 'x'));
  }
}

TEST_CASE("a lock that is a link is refused, and what it leads to stays as it is") {
  const TemporaryFolder folder;
  write_text(folder / "mine", "mine");
  std::filesystem::create_symlink("mine", folder / "a.lock");
  check_fails(ErrorKind::output, {"a.lock"}, [&] { RunLock(folder / "a.lock"); });
  CHECK(read_text(folder / "mine") == "mine");
}

TEST_CASE("a lock in no folder is an output that cannot be written") {
  check_fails(ErrorKind::output, {"/nowhere/a.lock"}, [] { RunLock("/nowhere/a.lock"); });
}
