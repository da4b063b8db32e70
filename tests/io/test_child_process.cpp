#include <catch2/catch.hpp>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <optional>
#include <string>
#include <unistd.h>

#include "io/file/child_process.hpp"
#include "support.hpp"

using namespace lapis::io;
using lapis::io::test::TemporaryFolder;

namespace {

/// Says back what it hears, until no more comes.
void echo(MessageLine& line) {
  while (const std::optional<Message> message = line.receive()) line.send(*message);
}

}  // namespace

TEST_CASE("messages come back whole, whatever their bytes") {
  ChildProcess child(echo);
  for (const Message& message :
       {Message{}, Message{""}, Message{"a", std::string("b\0\n\xFF", 4), ""}, Message{std::string(3'000'000, 'x')}}) {
    child.line().send(message);
    CHECK(child.line().receive() == message);
  }
  child.line().end();
  CHECK_FALSE(child.line().receive());
  CHECK(child.end_text() == "it ended with exit code 0");
}

TEST_CASE("several messages in one piece come one by one, without waiting") {
  ChildProcess child([](MessageLine& line) {
    line.send({"a"});
    line.send({"b"});
  });
  CHECK(child.line().receive() == Message{"a"});
  CHECK(child.end_text() == "it ended with exit code 0");
  CHECK(child.line().received() == Message{"b"});
  CHECK_FALSE(child.line().received());
  CHECK(child.line().is_ended());
}

TEST_CASE("a process that a signal ended, or an exception, is told of, and a message to it is lost") {
  ChildProcess killed([](MessageLine&) { std::raise(SIGKILL); });
  CHECK_FALSE(killed.line().receive());
  killed.line().send({"a"});
  CHECK(killed.end_text() == "SIGKILL ended it");
  ChildProcess thrown([](MessageLine&) { throw 1; });
  CHECK(thrown.end_text() == "it ended with exit code 70");
}

TEST_CASE("a process has no file of its maker open, and hears of the end of its line") {
  const TemporaryFolder folder;
  const std::ofstream file(folder / "a");
  ChildProcess child([](MessageLine& line) {
    int open = 0;
    for (int number = 3; number < 100; ++number) open += ::lseek(number, 0, SEEK_CUR) >= 0 || errno == ESPIPE ? 1 : 0;
    line.send({std::to_string(open)});
    while (!line.is_ended()) ::usleep(1000);
    line.send({"ended"});
  });
  CHECK(child.line().receive() == Message{"1"});
  child.line().end();
  CHECK(child.line().receive() == Message{"ended"});
}
