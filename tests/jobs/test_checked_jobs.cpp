#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "jobs/checked_jobs.hpp"

using namespace lapis;
using namespace lapis::jobs;

namespace {

CheckedJob job_of(const std::string& load, std::size_t line, double cost = 1) {
  CheckedJob job;
  job.job.line = line;
  job.outline.load = job.outline.model = load;
  job.outline.cost = cost;
  return job;
}

io::JournalRecord record_of(const std::string& model, double seconds, double cost) {
  io::JournalRecord record;
  record.model = model;
  record.seconds = seconds;
  record.cost = cost;
  return record;
}

}  // namespace

TEST_CASE("jobs that load the same follow one another, in the order of the list") {
  std::vector<CheckedJob> jobs = {job_of("b", 1), job_of("a", 2), job_of("b", 3), job_of("a", 4)};
  sort_by_load(jobs);
  std::vector<std::size_t> lines;
  for (const CheckedJob& job : jobs) lines.push_back(job.job.line);
  CHECK(lines == std::vector<std::size_t>{1, 3, 2, 4});
}

TEST_CASE("seconds are estimated by model and cost, of jobs that are left, divided among workers") {
  std::vector<CheckedJob> jobs = {job_of("a", 1, 10), job_of("b", 2, 4), job_of("b", 3, 4)};
  jobs[2].is_done = true;
  std::vector<io::JournalRecord> records = {record_of("a", 2, 20), record_of("b", 3, 2), record_of("b", 1, 2)};
  CHECK(estimated_seconds(jobs, records, 1) == 5.0);
  CHECK(estimated_seconds(jobs, records, 2) == 2.5);
  records[0].exit = 6;
  CHECK_FALSE(estimated_seconds(jobs, records, 1));
}
