#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/job/job_fields.hpp"
#include "core/text/sentence.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::jobs;
using namespace lapis::jobs::test;
using io::test::check_fails;

namespace {

/// A value as JSON has it in a line.
std::string json_value(const core::JobField& field, const std::string& value) {
  const bool is_text = std::holds_alternative<std::string Job::*>(field.member) ||
                       std::holds_alternative<std::optional<std::string> Job::*>(field.member);
  if (is_text) return core::sentence("\"{}\"", value);
  return std::holds_alternative<std::vector<std::string> Job::*>(field.member) ? core::sentence("[\"{}\"]", value)
                                                                               : value;
}

std::string problem(const BatchJob& job) { return job.fault ? job.fault->problem() : ""; }

}  // namespace

TEST_CASE("lines are jobs by their numbers, blank ones are none, and a bad one is a fault alone") {
  const ListFile file;
  const std::vector<BatchJob> jobs =
      all_jobs(file.asked("{\"prompt\": \"a\"}\n\n{\"prompt\": \"b\", \"stebs\": 3}\r\n{}\n"));
  REQUIRE(jobs.size() == 3);
  CHECK(jobs[0].line == 1);
  CHECK(jobs[1].line == 3);
  CHECK(jobs[1].place.number == 2);
  CHECK_THAT(problem(jobs[1]), Catch::Contains("jobs.jsonl, line 3") && Catch::Contains("steps"));
  CHECK_FALSE(jobs[2].fault);
}

TEST_CASE("what a line does not say, the defaults do, for the fields that its command has") {
  const ListFile file;
  pipeline::AskedJob defaults;
  defaults.job.steps = 5;
  defaults.job.device = "cpu";
  defaults.job.output = "out/";
  defaults.named = {"steps", "device", "output"};
  const std::vector<BatchJob> jobs = all_jobs(file.asked(
      "{\"prompt\": \"a\", \"steps\": 7}\n{\"prompt\": \"a\"}\n{\"command\": \"decode\", \"latent\": \"a\"}\n",
      defaults));
  CHECK(jobs[0].said.job.steps == 7);
  CHECK(jobs[1].said.job.steps == 5);
  CHECK(jobs[2].said.named == std::set<std::string>{"device", "output"});
}

TEST_CASE("for each line come all prompts, and for each of those all combinations, the last axis fastest") {
  const ListFile file;
  std::ofstream(file.folder / "prompts.txt") << "a lake\n\na hill\n";
  ListAsked asked = file.asked("{\"steps\": 1}\n{\"steps\": 2}\n");
  asked.prompts = (file.folder / "prompts.txt").string();
  asked.axes = {{"seed", {"1", "2"}}, {"guidance", {"3", "5"}}};
  const std::vector<BatchJob> jobs = all_jobs(asked);
  REQUIRE(jobs.size() == 16);
  CHECK(jobs[0].said.job.prompt == "a lake");
  CHECK(jobs[1].said.job.guidance == 5);
  CHECK(jobs[1].said.job.seed == 1);
  CHECK(jobs[2].said.job.seed == 2);
  CHECK(jobs[4].said.job.prompt == "a hill");
  CHECK(jobs[8].said.job.steps == 2);
  CHECK(jobs[15].line == 16);
  CHECK_THAT(jobs[15].where, Catch::Contains("line 2, job 16"));
}

TEST_CASE("a job without a seed has the same one whenever its line is read, and its neighbours have others") {
  const ListFile file;
  const std::string text = "{\"prompt\": \"a\"}\n{\"prompt\": \"a\"}\n{\"prompt\": \"b\"}\n";
  const std::vector<BatchJob> once = all_jobs(file.asked(text));
  const std::vector<BatchJob> again = all_jobs(file.asked("{\"prompt\": \"c\"}\n" + text));
  for (std::size_t i = 0; i < 3; ++i) CHECK(once[i].place.seed == again[i + 1].place.seed);
  CHECK(once[0].place.seed != once[1].place.seed);
  CHECK(once[0].place.seed != once[2].place.seed);
  ListAsked grid = file.asked("{\"prompt\": \"a\"}\n");
  grid.axes = {{"steps", {"1", "2", "3"}}};
  for (const BatchJob& job : all_jobs(grid)) CHECK(job.place.seed == once[0].place.seed);
}

TEST_CASE("every field of a job reaches a batch: by a line, by an option, by an axis, and to a worker") {
  for (const core::JobField& field : core::job_fields()) {
    INFO(field.key);
    const std::vector<std::string> choices = field.choices();
    const bool is_switch = std::holds_alternative<bool Job::*>(field.member);
    const std::string value = is_switch ? "true" : choices.empty() ? "1" : choices.back();
    Job wanted;
    core::set_field(wanted, field, value);
    const auto has_it = [&](const Job& job) {
      return std::visit([&](auto member) { return job.*member == wanted.*member; }, field.member);
    };
    CHECK_FALSE(has_it(Job()));

    const ListFile file;
    const ListAsked by_line = file.asked(core::sentence("{{\"{}\": {}}}\n", field.key, json_value(field, value)));
    JobList list(by_line);
    const BatchJob job = list.next().value();
    CHECK(problem(job).empty());
    CHECK(has_it(job.said.job));
    CHECK(has_it(list.again(job.place).said.job));
    CHECK(has_it(all_jobs(file.asked("{}\n", {wanted, {std::string(field.key)}})).front().said.job));
    ListAsked by_axis = file.asked("{}\n");
    by_axis.axes = {{std::string(field.key), {value}}};
    CHECK(has_it(all_jobs(by_axis).front().said.job));
  }
}

TEST_CASE("an axis says no field that a command has not, and no list is one job") {
  const ListFile file;
  ListAsked asked = file.asked("{\"command\": \"decode\", \"latent\": \"a\"}\n{\"prompt\": \"a\"}\n");
  asked.axes = {{"steps", {"1"}}};
  const std::vector<BatchJob> jobs = all_jobs(asked);
  REQUIRE(jobs.size() == 2);
  CHECK_THAT(problem(jobs[0]), Catch::Contains("decode") && Catch::Contains("steps"));
  asked = {};
  CHECK(all_jobs(asked).size() == 1);
}

TEST_CASE("a line of ten megabytes is refused, and the next one is read") {
  const ListFile file;
  std::string prompt;
  prompt.resize(10'000'000, 'a');
  const std::vector<BatchJob> jobs = all_jobs(file.asked("{\"prompt\": \"" + prompt + "\"}\n{\"prompt\": \"b\"}\n"));
  REQUIRE(jobs.size() == 2);
  CHECK_THAT(problem(jobs[0]), Catch::Contains("line 1: the line is longer than"));
  CHECK(jobs[1].said.job.prompt == "b");
}

TEST_CASE("a file of prompts that holds none, or no text, is refused") {
  const ListFile file;
  ListAsked asked;
  asked.prompts = (file.folder / "a").string();
  check_fails(ErrorKind::input, {"a cannot be read"}, [&] { all_jobs(asked); });
  std::ofstream(file.folder / "a") << "\n \n";
  check_fails(ErrorKind::usage, {"all lines are blank"}, [&] { all_jobs(asked); });
  std::ofstream(file.folder / "a") << "a\n\xFF\n";
  check_fails(ErrorKind::input, {"a, line 2 is not UTF-8"}, [&] { all_jobs(asked); });
}
