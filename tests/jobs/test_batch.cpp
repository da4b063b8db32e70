#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <new>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include "io/file/sha256.hpp"
#include "jobs/batch.hpp"
#include "lapis/error.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::jobs;
using namespace lapis::jobs::test;

namespace {

/// A batch that is only checked, with what it tells.
struct Checking {
  ListFile file;
  std::vector<std::string> failures;
  pipeline::OutputPolicy policy;
  std::optional<Shard> shard;

  std::vector<CheckedJob> check(const std::string& lines) {
    pipeline::AskedJob defaults;
    defaults.job.output = (file.folder / "out").string() + "/";
    defaults.job.threads = 1;
    defaults.named = {"output", "threads"};
    BatchAsked asked;
    asked.list = file.asked(lines, defaults);
    asked.policy = policy;
    asked.shard = shard;
    asked.journal = file.folder / "out/journal.jsonl";
    BatchEvents events;
    events.failed = [&](const BatchJob&, const Error& error) { failures.push_back(error.problem()); };
    return Batch(asked, events, /*writes=*/false).check();
  }

  /// An output, and what the journal says of it.
  void put(const CheckedJob& job, const std::string& content, const std::string& recorded) {
    std::filesystem::create_directories(file.folder / "out");
    std::ofstream(job.outline.outputs.front()) << content;
    io::JournalRecord record;
    record.id = job.outline.id;
    record.line = job.job.line;
    record.outputs = {{job.outline.outputs.front(), io::sha256(std::as_bytes(std::span(recorded)))}};
    io::Journal(file.folder / "out/journal.jsonl").append(record);
  }
};

std::vector<std::size_t> lines_of(const std::vector<CheckedJob>& jobs) {
  std::vector<std::size_t> lines;
  for (const CheckedJob& job : jobs) lines.push_back(job.job.line);
  return lines;
}

constexpr const char* two = "{\"prompt\": \"a\", \"seed\": 1}\n{\"prompt\": \"b\", \"seed\": 1}\n";

}  // namespace

TEST_CASE("all lines are checked, a bad one is told of with its place, and nothing is made") {
  Checking batch;
  const auto jobs =
      batch.check("{\"prompt\": \"a\"}\nnonsense\n{\"prompt\": \"b\", \"steps\": 0}\n{\"prompt\": \"c\"}\n");
  CHECK(lines_of(jobs) == std::vector<std::size_t>{1, 4});
  REQUIRE(batch.failures.size() == 2);
  CHECK_THAT(batch.failures[0], Catch::Contains("line 2"));
  CHECK_THAT(batch.failures[1], Catch::Contains("line 3: steps is 0"));
  CHECK(batch.file.folder.names() == std::vector<std::string>{"jobs.jsonl"});
}

TEST_CASE("two jobs with one output by way of a link are told of") {
  Checking batch;
  std::filesystem::create_directory(batch.file.folder / "real");
  std::filesystem::create_directory_symlink("real", batch.file.folder / "link");
  const std::string folder = (batch.file.folder / "").string();
  const auto jobs = batch.check("{\"prompt\": \"a\", \"output\": \"" + folder + "real/x.png\"}\n{\"prompt\": \"b\", " +
                                "\"output\": \"" + folder + "link/x.png\"}\n");
  CHECK(lines_of(jobs) == std::vector<std::size_t>{1});
}

TEST_CASE("two jobs with one output are told of by both their places") {
  Checking batch;
  const auto jobs =
      batch.check("{\"prompt\": \"a\", \"output\": \"x.png\"}\n{\"prompt\": \"b\", \"output\": \"./x.png\"}\n");
  CHECK(lines_of(jobs) == std::vector<std::size_t>{1});
  REQUIRE(batch.failures.size() == 1);
  CHECK_THAT(batch.failures[0], Catch::Contains("line 2") && Catch::Contains("line 1"));
}

TEST_CASE("a device is no output of a batch") {
  Checking batch;
  CHECK(batch.check("{\"prompt\": \"a\", \"output\": \"/dev/null\"}\n").empty());
  REQUIRE(batch.failures.size() == 1);
  CHECK_THAT(batch.failures.front(), Catch::Contains("/dev/null: a batch writes files"));
}

TEST_CASE("jobs that load the same follow one another, each kind where its first stands") {
  Checking batch;
  const auto jobs = batch.check(
      "{\"prompt\": \"a\", \"model\": \"tiny-sdxl\"}\n{\"prompt\": \"b\"}\n{\"prompt\": \"c\", \"model\": "
      "\"tiny-sdxl\"}\n"
      "{\"prompt\": \"d\", \"threads\": 2}\n{\"prompt\": \"e\"}\n");
  CHECK(lines_of(jobs) == std::vector<std::size_t>{1, 3, 2, 5, 4});
}

TEST_CASE("a job is done where its outputs have the digests of the journal, and else done again") {
  Checking batch;
  const auto jobs = batch.check(two);
  batch.put(jobs[0], "picture", "picture");
  batch.put(jobs[1], "damaged", "picture");
  auto again = batch.check(two);
  CHECK(again[0].is_done);
  CHECK_FALSE(again[1].is_done);
  CHECK(again[1].is_ours);
  std::filesystem::remove(jobs[0].outline.outputs.front());
  again = batch.check(two);
  CHECK_FALSE(again[0].is_done);
  batch.policy.overwrite = true;
  CHECK_FALSE(batch.check(two)[0].is_done);
  CHECK(batch.failures.empty());
}

TEST_CASE("an output of a stranger is in the way, and one of another job is told as that") {
  Checking batch;
  const auto jobs = batch.check(two);
  batch.put(jobs[0], "picture", "picture");
  std::ofstream(jobs[1].outline.outputs.front()) << "a stranger's";
  const auto left = batch.check("{\"prompt\": \"other\", \"seed\": 1}\n{\"prompt\": \"b\", \"seed\": 1}\n");
  CHECK(left.empty());
  REQUIRE(batch.failures.size() == 2);
  CHECK_THAT(batch.failures[0], Catch::Contains("another job made it"));
  CHECK_THAT(batch.failures[1], Catch::Contains("exists already"));
  batch.failures.clear();
  batch.policy.skip_existing = true;
  CHECK(batch.check("{\"prompt\": \"other\", \"seed\": 1}\n").size() == 1);
  CHECK(batch.failures.empty());
}

TEST_CASE("a line says what becomes of files that are there, and both at once is refused") {
  Checking batch;
  const auto jobs = batch.check(two);
  std::filesystem::create_directories(batch.file.folder / "out");
  for (const CheckedJob& job : jobs) std::ofstream(job.outline.outputs.front()) << "a stranger's";
  CHECK(lines_of(
            batch.check("{\"prompt\": \"a\", \"overwrite\": true}\n{\"prompt\": \"b\", \"skip_existing\": true}\n")) ==
        std::vector<std::size_t>{1, 2});
  CHECK(batch.failures.empty());
  CHECK(batch.check("{\"prompt\": \"a\", \"overwrite\": true, \"skip_existing\": true}\n").empty());
  REQUIRE(batch.failures.size() == 1);
  CHECK_THAT(batch.failures[0], Catch::Contains("overwrite") && Catch::Contains("skip_existing"));
}

TEST_CASE("whatever a job throws is its own failure, and the next one is done") {
  const ListFile file;
  pipeline::AskedJob defaults;
  defaults.job.output = (file.folder / "out").string() + "/";
  defaults.named = {"output"};
  BatchAsked asked;
  asked.list = file.asked(R"({"prompt": ""})"
                          "\n"
                          R"({"prompt": ""})"
                          "\n",
                          defaults);
  asked.journal = file.folder / "out/journal.jsonl";
  std::vector<ErrorKind> failures;
  BatchEvents events;
  events.render.note = [&](const std::string& /*text*/) {
    if (failures.empty()) throw std::bad_alloc();
    throw std::filesystem::filesystem_error("x", std::make_error_code(std::errc::io_error));
  };
  events.failed = [&](const BatchJob&, const Error& error) { failures.push_back(error.kind()); };
  Batch batch(asked, events, /*writes=*/true);
  batch.check();
  batch.run();
  CHECK(failures == std::vector<ErrorKind>{ErrorKind::device, ErrorKind::internal});
  const auto records = io::read_journal(file.folder / "out/journal.jsonl");
  REQUIRE(records.size() == 2);
  CHECK(records[0].exit == exit_code(ErrorKind::device));
  CHECK_THAT(records[1].error, Catch::Contains("line 2: internal error"));
}

TEST_CASE("shards have every job once, and what is no job is told of by the first") {
  std::string lines = "nonsense\n";
  for (int i = 0; i < 20; ++i) lines += "{\"prompt\": \"a\", \"seed\": " + std::to_string(i) + "}\n";
  std::multiset<std::size_t> seen;
  for (int index = 1; index <= 3; ++index) {
    Checking batch;
    batch.shard = Shard{index, 3, ""};
    for (const std::size_t line : lines_of(batch.check(lines))) seen.insert(line);
    CHECK(batch.failures.size() == (index == 1 ? 1 : 0));
  }
  CHECK(seen.size() == 20);
  CHECK(std::set<std::size_t>(seen.begin(), seen.end()).size() == 20);
}

TEST_CASE("an estimate is what the journal says of jobs of the same model, and none where it says nothing") {
  Checking batch;
  const auto jobs = batch.check(two);
  const auto estimate = [&](const std::string& lines) {
    BatchAsked asked;
    asked.list = batch.file.asked(lines);
    asked.journal = batch.file.folder / "out/journal.jsonl";
    Batch whole(asked, {}, false);
    whole.check();
    return whole.estimate();
  };
  CHECK_FALSE(estimate(two));
  io::JournalRecord record;
  record.id = std::string(64, 'a');
  record.model = "tiny-sd15";
  record.seconds = 3;
  record.cost = jobs[0].outline.cost;
  { io::Journal(batch.file.folder / "out/journal.jsonl").append(record); }
  CHECK(estimate(two) == Approx(6));
  CHECK_FALSE(estimate("{\"prompt\": \"a\", \"model\": \"tiny-sdxl\"}\n"));
}
