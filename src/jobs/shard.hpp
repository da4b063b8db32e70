// One of several processes that share a list of jobs, and which jobs are its own.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lapis::jobs {

/// One share of a list of jobs.
struct Shard {
  int index = 1;  ///< from 1 to `count`
  int count = 1;
  std::string said_by;  ///< of a scheduler's: "CI_NODE_INDEX 2"; empty for one that somebody named
};

/// The shard that "2/4" says. Throws Error{usage}.
Shard parse_shard(std::string_view text);

/// An environment: the value of a variable, null for one that is not set, as std::getenv has it.
using Environment = std::function<const char*(const char* name)>;

/// The shard that a scheduler set this process to be, none where none of these did; an empty variable is not set.
///
///   Slurm job arrays         SLURM_ARRAY_TASK_ID, from _MIN to _MAX by _STEP, _COUNT in all
///   Kubernetes indexed Jobs  JOB_COMPLETION_INDEX, from 0; JOB_COMPLETIONS, which the Job's manifest has to pass
///   GitLab CI                CI_NODE_INDEX, from 1; CI_NODE_TOTAL
///   CircleCI                 CIRCLE_NODE_INDEX, from 0; CIRCLE_NODE_TOTAL
///   Buildkite                BUILDKITE_PARALLEL_JOB, from 0; BUILDKITE_PARALLEL_JOB_COUNT
///   GNU parallel             PARALLEL_SEQ, from 1; PARALLEL_TOTAL, which its caller has to export: parallel(1) knows
///                            the total only in replacement strings, and PARALLEL_JOBSLOT is a place that many take
///
/// Throws Error{usage} where two of them did, for a count that is not set, for what is no number, for an index beyond
/// its count, and for an array whose numbers do not lie _STEP apart.
std::optional<Shard> scheduled_shard(const Environment& environment);

/// "shard 2 of 4 (SLURM_ARRAY_TASK_ID 7, from 6 to 9)".
std::string shard_text(const Shard& shard);

/// The name of a file that each shard has of its own: "report.2-of-4.xml" for "report.xml". The name as it is without a
/// shard, of nothing, and of a device.
std::string name_in_shard(const std::string& name, const std::optional<Shard>& shard);

/// What dealing needs to know of a job.
struct JobCost {
  std::string id;
  double cost;  ///< in any unit; finite, above 0
};

/// The shard of each job, 1 to `count`: the costliest job first, of equals the first by its id, each goes to the shard
/// with the least cost so far, of equals the first (Graham 1969, "Bounds on Multiprocessing Timing Anomalies"). Loads
/// then differ by no more than the costliest job. The order of `jobs` plays no part, so shards that list the same jobs
/// agree without a word; jobs of one id and one cost are dealt one after the other.
std::vector<int> dealt(std::span<const JobCost> jobs, int count);

}  // namespace lapis::jobs
