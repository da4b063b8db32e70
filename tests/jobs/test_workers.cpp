#include <catch2/catch.hpp>
#include <csignal>
#include <set>
#include <string>
#include <vector>

#include "jobs/workers.hpp"

using namespace lapis;
using namespace lapis::jobs;

namespace {

/// Answers each message with itself; "die" ends it.
void answer(io::MessageLine& to_maker) {
  while (const auto message = to_maker.receive()) {
    if (message->front() == "die") std::raise(SIGKILL);
    if (message->front() == "wait") {
      while (!to_maker.is_ended()) {
      }
    }
    to_maker.send(*message);
  }
}

Workers::Heard next(Workers& workers) {
  std::vector<Workers::Heard> heard;
  while (heard.empty()) heard = workers.wait();
  workers.free(heard.front().worker);
  return heard.front();
}

}  // namespace

TEST_CASE("work goes to workers without any, and each answers for itself") {
  Workers workers(2, answer);
  CHECK_FALSE(workers.is_busy());
  workers.give(workers.idle().value(), {"a"});
  workers.give(workers.idle().value(), {"b"});
  CHECK_FALSE(workers.idle());
  CHECK(std::set{next(workers).message, next(workers).message} == std::set<io::Message>{{"a"}, {"b"}});
  CHECK_FALSE(workers.is_busy());
}

TEST_CASE("a worker that was killed is told of, and is there again for the next work") {
  Workers workers(1, answer);
  workers.give(0, {"die"});
  CHECK(next(workers).end == "SIGKILL ended it");
  workers.give(0, {"a"});
  CHECK(next(workers).message == io::Message{"a"});
}

TEST_CASE("a worker that is asked to end ends what it does") {
  Workers workers(1, answer);
  workers.give(0, {"wait"});
  workers.ask_to_end();
  CHECK(next(workers).message == io::Message{"wait"});
}
