// Jobs that were checked: in which order they are done, and how long that takes.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "io/report/journal.hpp"
#include "jobs/job_list.hpp"
#include "jobs/request.hpp"

namespace lapis::jobs {

/// A job with its outline, and what is known of it from runs before.
struct CheckedJob {
  BatchJob job;
  Outline outline;
  bool is_done = false;  ///< its outputs are there as the journal has them
  bool is_ours = false;  ///< what lies at its outputs is its own, and may be replaced
  std::size_t turn = 0;  ///< of what it loads, among what the jobs of the batch load
};

/// Jobs that load the same follow one another, each kind where its first job stands.
void sort_by_load(std::vector<CheckedJob>& jobs);

/// Seconds that the jobs will take that are not done, by what records say of jobs of their models, where so many are
/// done side by side; none where they say nothing of one.
std::optional<double> estimated_seconds(std::span<const CheckedJob> jobs, std::span<const io::JournalRecord> records,
                                        std::size_t workers);

}  // namespace lapis::jobs
