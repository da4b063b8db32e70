#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "io/file/sha256.hpp"
#include "jobs/merge.hpp"
#include "lapis/error.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::jobs;
using io::test::check_fails;
using io::test::TemporaryFolder;

namespace {

/// A folder of shards' outputs and journals.
struct Shards {
  TemporaryFolder folder;

  io::JournalRecord record(std::size_t number, const std::string& name, std::size_t of = 3) const {
    const std::string content = "picture " + std::to_string(number);
    std::ofstream(folder / name) << content;
    io::JournalRecord record;
    record.id = io::sha256(std::as_bytes(std::span(content)));
    record.line = record.number = number;
    record.of = of;
    record.outputs = {{(folder / name).string(), record.id}};
    return record;
  }

  void write(const std::string& journal, const std::vector<io::JournalRecord>& records) const {
    io::Journal file(folder / journal);
    for (const io::JournalRecord& each : records) file.append(each);
  }

  std::vector<std::string> faults() const {
    const std::vector<std::filesystem::path> folders = {folder.path()};
    return merge(folders).faults;
  }
};

}  // namespace

TEST_CASE("journals that have every job once are a whole, in the order of their list") {
  const Shards shards;
  shards.write("journal.1-of-2.jsonl", {shards.record(3, "c")});
  shards.write("journal.2-of-2.jsonl", {shards.record(2, "b"), shards.record(1, "a")});
  const std::vector<std::filesystem::path> folders = {shards.folder.path()};
  const Merged merged = merge(folders);
  CHECK(merged.faults.empty());
  REQUIRE(merged.records.size() == 3);
  CHECK(merged.records[0].number == 1);
  CHECK(io::read_journal(shards.folder / "journal.jsonl").size() == 3);
  CHECK(shards.faults().empty());  // what was joined says the same again
}

TEST_CASE("a job that is missing, failed, damaged or done in two places is no whole") {
  const Shards shards;
  io::JournalRecord failed = shards.record(2, "b");
  failed.exit = 3;
  failed.error = "no picture";
  failed.outputs.clear();
  shards.write("journal.1-of-2.jsonl", {shards.record(1, "a"), failed});
  CHECK(shards.faults() == std::vector<std::string>{"line 2 failed: no picture", "job 3 of 3 is missing"});
  shards.write("journal.2-of-2.jsonl", {shards.record(2, "b"), shards.record(3, "c"), shards.record(1, "other")});
  REQUIRE(shards.faults().size() == 1);
  CHECK_THAT(shards.faults().front(), Catch::StartsWith("line 1 is done twice"));
  std::filesystem::remove(shards.folder / "b");
  std::ofstream(shards.folder / "c") << "damaged";
  REQUIRE(shards.faults().size() == 3);
  CHECK_THAT(shards.faults()[1], Catch::EndsWith("b is not there"));
  CHECK_THAT(shards.faults()[2], Catch::EndsWith("c is not as it was written"));
}

TEST_CASE("work that stands is whole whatever failed after it, but for a number that is another job's now") {
  const Shards shards;
  const io::JournalRecord done = shards.record(1, "a", 1);
  io::JournalRecord refused = done;
  refused.exit = 8;
  refused.error = "no permission";
  refused.outputs.clear();
  refused.model = "tiny-sd15";
  io::JournalRecord without_model = refused;  // it could not be planned, and has no id of a job
  without_model.id = std::string(64, '0');
  without_model.exit = 5;
  without_model.model.clear();
  io::JournalRecord other = refused;
  other.id = std::string(64, '1');
  shards.write("journal.jsonl", {done, without_model, refused, other, refused});
  CHECK(shards.faults().empty());
  shards.write("journal.jsonl", {other});
  CHECK(shards.faults() == std::vector<std::string>{"line 1 failed: no permission"});
}

TEST_CASE("a journal that a run has is not joined") {
  const Shards shards;
  shards.write("journal.1-of-2.jsonl", {shards.record(1, "a", 2)});
  shards.write("journal.2-of-2.jsonl", {shards.record(2, "b", 2)});
  const io::Journal running(shards.folder / "journal.2-of-2.jsonl");
  check_fails(ErrorKind::output, {"journal.2-of-2.jsonl is being written by process"}, [&] { shards.faults(); });
  CHECK_FALSE(std::filesystem::exists(shards.folder / "journal.jsonl"));
}

TEST_CASE("lists of different lengths, of no length, and folders without a journal are told") {
  const Shards shards;
  check_fails(ErrorKind::input, {"has no journal"}, [&] { shards.faults(); });
  shards.write("journal.jsonl", {shards.record(1, "a", 0)});
  CHECK_THAT(shards.faults().front(), Catch::Contains("how many jobs"));
  shards.write("journal.2-of-2.jsonl", {shards.record(2, "b", 3)});
  CHECK_THAT(shards.faults().front(), Catch::Contains("different lengths") || Catch::Contains("how many"));
}
