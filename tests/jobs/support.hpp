// Lists of jobs for the tests of batches.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "../io/support.hpp"
#include "jobs/job_list.hpp"

namespace lapis::jobs::test {

/// A folder with a list of jobs in it.
struct ListFile {
  io::test::TemporaryFolder folder;

  ListAsked asked(const std::string& text, pipeline::AskedJob defaults = {}) const {
    std::ofstream(folder / "jobs.jsonl", std::ios::binary) << text;
    return {(folder / "jobs.jsonl").string(), "", {}, std::move(defaults)};
  }
};

inline std::vector<BatchJob> all_jobs(ListAsked asked) {
  JobList list(std::move(asked));
  std::vector<BatchJob> jobs;
  while (std::optional<BatchJob> job = list.next()) jobs.push_back(std::move(*job));
  return jobs;
}

}  // namespace lapis::jobs::test
