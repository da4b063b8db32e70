#include <catch2/catch.hpp>
#include <limits>

#include "jobs/job_messages.hpp"

using namespace lapis;
using namespace lapis::jobs;

TEST_CASE("a job that is handed out arrives as it is") {
  const HandedJob job{{"{\"prompt\": \"a\"}", 3, 4, 5, std::numeric_limits<std::uint64_t>::max()}, true};
  const HandedJob arrived = handed_job(message_of(job));
  CHECK(arrived.place.text == job.place.text);
  CHECK(arrived.place.line == 3);
  CHECK(arrived.place.product == 4);
  CHECK(arrived.place.number == 5);
  CHECK(arrived.place.seed == job.place.seed);
  CHECK(arrived.is_ours);
  CHECK_FALSE(handed_job(message_of(HandedJob{})).is_ours);
}

TEST_CASE("the end of a job arrives as it was: done, stopped, or the error with its names marked") {
  CHECK_FALSE(job_end(message_of(JobEnd{})).stopped);
  CHECK(job_end(message_of(JobEnd{true, std::nullopt})).stopped);
  const Error lost = lost_worker("SIGKILL ended it");
  const JobEnd failed = job_end(message_of(JobEnd{false, lost}));
  REQUIRE(failed.error);
  CHECK(failed.error->kind() == ErrorKind::device);
  CHECK(failed.error->marked_problem() == lost.marked_problem());
  CHECK(failed.error->marked_advice() == lost.marked_advice());
  CHECK(failed.error->fields() == std::vector<std::string>{"workers", "memory"});
  CHECK(lost_worker("SIGSEGV ended it").kind() == ErrorKind::internal);
}
