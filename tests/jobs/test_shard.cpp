#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "../io/support.hpp"
#include "jobs/shard.hpp"

using namespace lapis;
using namespace lapis::jobs;
using io::test::check_fails;

namespace {

using Variables = std::map<std::string, std::string>;

std::optional<Shard> scheduled(const Variables& variables) {
  return scheduled_shard([&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

std::string scheduled_text(const Variables& variables) { return shard_text(scheduled(variables).value()); }

void check_scheduled_refused(const Variables& variables, const std::vector<std::string>& parts) {
  check_fails(ErrorKind::usage, parts, [&] { scheduled(variables); });
}

Variables slurm(int id, int lowest, int highest, int step, int count) {
  return {{"SLURM_ARRAY_TASK_ID", std::to_string(id)},
          {"SLURM_ARRAY_TASK_MIN", std::to_string(lowest)},
          {"SLURM_ARRAY_TASK_MAX", std::to_string(highest)},
          {"SLURM_ARRAY_TASK_STEP", std::to_string(step)},
          {"SLURM_ARRAY_TASK_COUNT", std::to_string(count)}};
}

std::vector<JobCost> thousand_jobs() {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> costs(0, 20);
  std::vector<JobCost> jobs;
  for (int i = 0; i < 1000; ++i) jobs.push_back({"job-" + std::to_string(i), costs(random)});
  return jobs;
}

}  // namespace

TEST_CASE("a shard is its index and how many there are") {
  const Shard shard = parse_shard("2/4");
  CHECK(shard.index == 2);
  CHECK(shard.count == 4);
  CHECK(shard_text(shard) == "shard 2 of 4");
  CHECK(parse_shard("1/1").count == 1);
  for (const char* text : {"", "/", "2", "2/", "/4", "a/4", "2/4/8", " 2/4", "2/-4", "1/0", "1.5/2", "9999999999/4"}) {
    INFO(text);
    check_fails(ErrorKind::usage, {"shard is \"" + std::string(text), "INDEX/COUNT, as 2/4"},
                [&] { parse_shard(text); });
  }
  for (const char* text : {"0/4", "5/4", "-1/4"}) {
    check_fails(ErrorKind::usage, {"expected 1/4 to 4/4"}, [&] { parse_shard(text); });
  }
}

TEST_CASE("nobody's variables are no shard") {
  CHECK_FALSE(scheduled({}));
  CHECK_FALSE(scheduled({{"CI_NODE_TOTAL", "1"}, {"PARALLEL_JOBSLOT", "2"}, {"CI_NODE_INDEX", ""}}));
}

TEST_CASE("a Slurm array counts from its lowest task, by its step") {
  CHECK(scheduled_text(slurm(7, 6, 9, 1, 4)) == "shard 2 of 4 (SLURM_ARRAY_TASK_ID 7, from 6 to 9)");
  CHECK(scheduled_text(slurm(0, 0, 0, 1, 1)) == "shard 1 of 1 (SLURM_ARRAY_TASK_ID 0, from 0 to 0)");
  CHECK(scheduled_text(slurm(5, 1, 7, 2, 4)) == "shard 3 of 4 (SLURM_ARRAY_TASK_ID 5, from 1 to 7 by 2)");
}

TEST_CASE("a Slurm array with gaps is refused with what was found") {
  check_scheduled_refused(slurm(9, 1, 31, 1, 5),
                          {"task 9 of a Slurm array from 1 to 31 by 1 is none of 5 tasks", "give shard"});
  check_scheduled_refused(slurm(2, 1, 7, 2, 4), {"task 2"});
  check_scheduled_refused(slurm(1, 1, 6, 2, 3), {"from 1 to 6 by 2"});
  check_scheduled_refused(slurm(8, 1, 7, 1, 7), {"task 8"});
  check_scheduled_refused(slurm(1, 1, 7, 0, 7), {"by 0"});
  Variables lacking = slurm(1, 1, 4, 1, 4);
  lacking.erase("SLURM_ARRAY_TASK_MAX");
  check_scheduled_refused(lacking,
                          {"Slurm sets SLURM_ARRAY_TASK_ID, and SLURM_ARRAY_TASK_MAX is not set", "Give shard"});
}

TEST_CASE("every other scheduler has an index, from 0 or 1, and a count") {
  struct Case {
    const char* index;
    const char* count;
    int first;
  };
  for (const Case& each :
       {Case{"JOB_COMPLETION_INDEX", "JOB_COMPLETIONS", 0}, Case{"CI_NODE_INDEX", "CI_NODE_TOTAL", 1},
        Case{"CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL", 0},
        Case{"BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", 0}, Case{"PARALLEL_SEQ", "PARALLEL_TOTAL", 1}}) {
    INFO(each.index);
    const auto at = [&](int index) { return Variables{{each.index, std::to_string(index)}, {each.count, "3"}}; };
    for (int i = 0; i < 3; ++i) {
      const Shard shard = scheduled(at(each.first + i)).value();
      CHECK(shard.index == i + 1);
      CHECK(shard.count == 3);
      CHECK(shard.said_by == each.index + (" " + std::to_string(each.first + i)));
    }
    const std::string allowed = each.first == 0 ? "expected 0 to 2" : "expected 1 to 3";
    check_scheduled_refused(at(each.first + 3), {each.index, std::string(each.count) + " is 3", allowed});
    check_scheduled_refused({{each.index, "1"}, {each.count, "0"}},
                            {std::string(each.count) + " is 0; expected 1 or more"});
    check_scheduled_refused({{each.index, "1"}}, {std::string(each.count) + " is not set", "shard"});
    check_scheduled_refused({{each.index, "one"}, {each.count, "3"}},
                            {each.index, "\"one\"", "expected a whole number"});
    check_scheduled_refused({{each.index, "-1"}, {each.count, "3"}}, {"\"-1\""});
  }
}

TEST_CASE("a count that a scheduler does not set is to be passed") {
  check_scheduled_refused({{"JOB_COMPLETION_INDEX", "1"}},
                          {"env:", "- name: JOB_COMPLETIONS", "value: '8'", "or give shard"});
  check_scheduled_refused({{"PARALLEL_SEQ", "1"}}, {"Export PARALLEL_TOTAL", "or give shard"});
}

TEST_CASE("two schedulers at once are refused") {
  Variables both = slurm(1, 1, 4, 1, 4);
  both["CI_NODE_INDEX"] = "2";
  both["CI_NODE_TOTAL"] = "4";
  check_scheduled_refused(both, {"SLURM_ARRAY_TASK_ID (Slurm) and CI_NODE_INDEX (GitLab)", "give shard"});
}

TEST_CASE("jobs are dealt by cost, and loads differ by no more than the costliest") {
  const std::vector<JobCost> jobs = thousand_jobs();
  const double costliest = std::ranges::max_element(jobs, {}, &JobCost::cost)->cost;
  for (const int count : {1, 2, 7, 64}) {
    const std::vector<int> shards = dealt(jobs, count);
    REQUIRE(shards.size() == jobs.size());
    std::vector<double> loads(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      REQUIRE(shards[i] >= 1);
      REQUIRE(shards[i] <= count);
      loads[static_cast<std::size_t>(shards[i] - 1)] += jobs[i].cost;
    }
    const auto [least, most] = std::ranges::minmax(loads);
    CHECK(most - least <= costliest);
  }
}

TEST_CASE("the order in which jobs are listed plays no part") {
  const std::vector<JobCost> jobs = thousand_jobs();
  const std::vector<int> shards = dealt(jobs, 7);
  std::vector<std::size_t> order(jobs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::shuffle(order, std::mt19937(8));
  std::vector<JobCost> permuted;
  for (const std::size_t i : order) permuted.push_back(jobs[i]);
  const std::vector<int> again = dealt(permuted, 7);
  for (std::size_t i = 0; i < order.size(); ++i) CHECK(again[i] == shards[order[i]]);
}

TEST_CASE("the costliest comes first, equals go by their ids, and one id goes round") {
  const std::vector<JobCost> jobs = {{"b", 1}, {"a", 1}, {"c", 2}, {"d", 1}};
  CHECK(dealt(jobs, 2) == std::vector<int>{2, 2, 1, 1});
  const std::vector<JobCost> alike(5, {"same", 3});
  CHECK(dealt(alike, 3) == std::vector<int>{1, 2, 3, 1, 2});
  CHECK(dealt({}, 3).empty());
}

TEST_CASE("a file of a shard has the shard in its name") {
  CHECK(name_in_shard("out/report.xml", Shard{2, 4, ""}) == "out/report.2-of-4.xml");
  CHECK(name_in_shard("report", Shard{1, 2, ""}) == "report.1-of-2");
  CHECK(name_in_shard("report.xml", std::nullopt) == "report.xml");
  CHECK(name_in_shard("", Shard{1, 2, ""}).empty());
  CHECK(name_in_shard("/dev/null", Shard{1, 2, ""}) == "/dev/null");
}
