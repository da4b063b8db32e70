#include <catch2/catch.hpp>
#include <csignal>
#include <set>
#include <string>
#include <utility>
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

/// What workers say until so many have said something, in any order; each is free then.
std::vector<Workers::Heard> heard_from(Workers& workers, std::size_t count) {
  std::vector<Workers::Heard> all;
  while (all.size() < count) {
    for (Workers::Heard& heard : workers.wait().heard) {
      workers.free(heard.worker);
      all.push_back(std::move(heard));
    }
  }
  return all;
}

}  // namespace

TEST_CASE("work goes to workers without any, and each answers for itself") {
  Workers workers(2, answer);
  CHECK_FALSE(workers.is_busy());
  workers.give(workers.idle().value(), {"a"});
  workers.give(workers.idle().value(), {"b"});
  CHECK_FALSE(workers.idle());
  const std::vector<Workers::Heard> heard = heard_from(workers, 2);
  CHECK(std::set{heard[0].message, heard[1].message} == std::set<io::Message>{{"a"}, {"b"}});
  CHECK_FALSE(workers.is_busy());
}

TEST_CASE("a worker that was killed is told of, and is there again for the next work") {
  Workers workers(1, answer);
  workers.give(0, {"die"});
  CHECK(heard_from(workers, 1).front().end == "SIGKILL ended it");
  workers.give(0, {"a"});
  CHECK(heard_from(workers, 1).front().message == io::Message{"a"});
}

TEST_CASE("a worker that is asked to end ends what it does") {
  Workers workers(1, answer);
  workers.give(0, {"wait"});
  workers.ask_to_end();
  CHECK(heard_from(workers, 1).front().message == io::Message{"wait"});
}
