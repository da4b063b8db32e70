#include "jobs/shard.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <numeric>
#include <queue>
#include <system_error>
#include <utility>

#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace lapis::jobs {
namespace {

/// What a scheduler sets for each process that it starts.
struct Scheduler {
  std::string_view name;
  const char* index;
  const char* count;
  int first;                 ///< lowest index
  std::string_view missing;  ///< what to do where one of its numbers is not set
};

constexpr std::array<Scheduler, 6> schedulers = {{
    {"Slurm", "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", 0, "Give {shard}"},  // its first is an array's own
    {"Kubernetes", "JOB_COMPLETION_INDEX", "JOB_COMPLETIONS", 0,
     "Pass the manifest's spec.completions on, say 8, as three lines of its container: \"env:\", \"- name: "
     "JOB_COMPLETIONS\" and \"  value: '8'\"; or give {shard}"},
    {"GitLab", "CI_NODE_INDEX", "CI_NODE_TOTAL", 1, "Give {shard}"},
    {"CircleCI", "CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL", 0, "Give {shard}"},
    {"Buildkite", "BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", 0, "Give {shard}"},
    {"GNU parallel", "PARALLEL_SEQ", "PARALLEL_TOTAL", 1,
     "Export PARALLEL_TOTAL, the number of jobs that parallel is to start, or give {shard}"},
}};

std::string_view variable_of(const Environment& environment, const char* name) {
  const char* value = environment(name);
  return value == nullptr ? "" : value;
}

std::optional<int> counting_number(std::string_view text) {
  int value = 0;
  const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = code == std::errc() && stop == text.data() + text.size();
  return whole ? std::optional(value) : std::nullopt;
}

int scheduler_number(const Environment& environment, const Scheduler& scheduler, const char* name) {
  const std::string_view text = variable_of(environment, name);
  if (text.empty()) {
    throw Error(ErrorKind::usage,
                core::sentence("{} sets {}, and {} is not set.", scheduler.name, scheduler.index, name),
                core::marked(scheduler.missing));
  }
  const std::optional<int> number = counting_number(text);
  if (number && *number >= 0) return *number;
  throw Error(ErrorKind::usage, core::sentence("{} is \"{}\"; expected a whole number as {} sets it, or give {shard}",
                                               name, text, scheduler.name));
}

/// Of an array of Slurm's.
Shard array_shard(const Environment& environment, const Scheduler& slurm) {
  const auto number = [&](const char* name) { return scheduler_number(environment, slurm, name); };
  const int id = number(slurm.index);
  const int lowest = number("SLURM_ARRAY_TASK_MIN");
  const int highest = number("SLURM_ARRAY_TASK_MAX");
  const int step = number("SLURM_ARRAY_TASK_STEP");
  const int count = number(slurm.count);
  const bool even = step > 0 && count > 0 && highest >= lowest && (highest - lowest) % step == 0 &&
                    (highest - lowest) / step + 1 == count;
  if (even && id >= lowest && id <= highest && (id - lowest) % step == 0) {
    const std::string by = step == 1 ? "" : core::sentence(" by {}", step);
    return {(id - lowest) / step + 1, count,
            core::sentence("{} {}, from {} to {}{}", slurm.index, id, lowest, highest, by)};
  }
  throw Error(ErrorKind::usage,
              core::sentence("task {} of a Slurm array from {} to {} by {} is none of {} tasks.", id, lowest, highest,
                             step, count),
              core::marked("Submit an array without gaps, as 1-8 or 0-14:2, or give {shard}"));
}

Shard counted_shard(const Environment& environment, const Scheduler& scheduler) {
  const int index = scheduler_number(environment, scheduler, scheduler.index);
  const int count = scheduler_number(environment, scheduler, scheduler.count);
  if (count < 1) {
    throw Error(ErrorKind::usage, core::sentence("{} is {}; expected 1 or more", scheduler.count, count));
  }
  if (index < scheduler.first || index - scheduler.first >= count) {
    throw Error(ErrorKind::usage, core::sentence("{} is {} where {} is {}; expected {} to {}", scheduler.index, index,
                                                 scheduler.count, count, scheduler.first, count - 1 + scheduler.first));
  }
  return {index - scheduler.first + 1, count, core::sentence("{} {}", scheduler.index, index)};
}

}  // namespace

Shard parse_shard(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const std::optional<int> index = counting_number(text.substr(0, slash));
  const std::optional<int> count = counting_number(text.substr(std::min(slash + 1, text.size())));
  if (!index || !count || *count < 1) {
    throw Error(ErrorKind::usage, core::sentence("{shard} is \"{}\"; expected INDEX/COUNT, as 2/4", text));
  }
  if (*index < 1 || *index > *count) {
    throw Error(ErrorKind::usage,
                core::sentence("{shard} is \"{}\"; expected 1/{} to {}/{}", text, *count, *count, *count));
  }
  return {*index, *count, ""};
}

std::optional<Shard> scheduled_shard(const Environment& environment) {
  std::vector<const Scheduler*> found;
  for (const Scheduler& scheduler : schedulers) {
    if (!variable_of(environment, scheduler.index).empty()) found.push_back(&scheduler);
  }
  if (found.empty()) return std::nullopt;
  if (found.size() > 1) {
    std::vector<std::string> variables;
    for (const Scheduler* each : found) variables.push_back(core::sentence("{} ({})", each->index, each->name));
    throw Error(ErrorKind::usage, core::sentence("{} are both set, and say which shard this is; give {shard}, as 2/4",
                                                 core::joined(variables, " and ")));
  }
  const Scheduler& scheduler = *found.front();
  return scheduler.name == "Slurm" ? array_shard(environment, scheduler) : counted_shard(environment, scheduler);
}

std::string shard_text(const Shard& shard) {
  const std::string by = shard.said_by.empty() ? "" : core::sentence(" ({})", shard.said_by);
  return core::sentence("shard {} of {}{}", shard.index, shard.count, by);
}

std::string name_in_shard(const std::string& name, const std::optional<Shard>& shard) {
  std::error_code ignored;
  if (!shard || name.empty() || std::filesystem::is_other(name, ignored)) return name;
  const std::filesystem::path path(name);
  const std::string own =
      core::sentence("{}.{}-of-{}{}", path.stem().string(), shard->index, shard->count, path.extension().string());
  return (path.parent_path() / own).string();
}

std::vector<int> dealt(std::span<const JobCost> jobs, int count) {
  std::vector<std::size_t> order(jobs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    return jobs[a].cost != jobs[b].cost ? jobs[a].cost > jobs[b].cost : jobs[a].id < jobs[b].id;
  });
  using Load = std::pair<double, int>;  // cost so far, shard
  std::priority_queue<Load, std::vector<Load>, std::greater<>> loads;
  for (int shard = 1; shard <= count; ++shard) loads.emplace(0.0, shard);
  std::vector<int> shards(jobs.size());
  for (const std::size_t job : order) {
    const auto [load, shard] = loads.top();
    loads.pop();
    shards[job] = shard;
    loads.emplace(load + jobs[job].cost, shard);
  }
  return shards;
}

}  // namespace lapis::jobs
