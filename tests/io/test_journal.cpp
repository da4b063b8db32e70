#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

#include "io/report/journal.hpp"
#include "lapis/error.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

JournalRecord record_with(char id, const std::filesystem::path& folder) {
  JournalRecord record;
  record.id = std::string(64, id);
  record.line = 3;
  record.number = 2;
  record.of = 5;
  record.outputs = {{(folder / "out" / "a.png").string(), std::string(64, 'e')}};
  record.model = "tiny";
  record.seconds = 1.5;
  record.cost = 2e9;
  return record;
}

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("a journal gives back what was written, by paths that follow its folder") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "out/journal.jsonl";
  {
    Journal journal(file);
    CHECK(journal.records().empty());
    journal.append(record_with('a', folder.path()));
    JournalRecord failed = record_with('b', folder.path());
    failed.outputs.clear();
    failed.exit = 3;
    failed.error = "no \"picture\"";
    journal.append(failed);
  }
  CHECK(text_of(file).find(R"("path":"a.png")") != std::string::npos);
  std::filesystem::rename(folder / "out", folder / "moved");
  const std::vector<JournalRecord> records = read_journal(folder / "moved/journal.jsonl");
  REQUIRE(records.size() == 2);
  CHECK(records[0].done());
  CHECK(records[0].outputs[0].path == (folder / "moved/a.png").string());
  CHECK(records[0].cost == 2e9);
  CHECK(records[0].of == 5);
  CHECK(records[1].exit == 3);
  CHECK(records[1].error == "no \"picture\"");
  CHECK(folder.names().size() == 1);
}

TEST_CASE("a torn last line is cut off, and a line within that is none is refused with its number") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "journal.jsonl";
  { Journal(file).append(record_with('a', folder.path())); }
  const std::string whole = text_of(file);
  std::ofstream(file, std::ios::app) << whole.substr(0, 40);
  CHECK(read_journal(file).size() == 1);
  {
    Journal journal(file);
    CHECK(journal.records().size() == 1);
    journal.append(record_with('b', folder.path()));
  }
  CHECK(read_journal(file).size() == 2);
  std::ofstream(file, std::ios::app) << "nonsense\n";
  check_fails(ErrorKind::input, {"journal.jsonl, line 3"}, [&] { read_journal(file); });
  CHECK(text_of(file).ends_with("nonsense\n"));
}

TEST_CASE("a journal is one run's, which it names") {
  const TemporaryFolder folder;
  const Journal journal(folder / "journal.jsonl");
  check_fails(ErrorKind::output, {"is being written by process " + std::to_string(::getpid())},
              [&] { Journal(folder / "journal.jsonl"); });
}

TEST_CASE("what was at hand when a run was killed is known to the next") {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    Journal journal(folder / "journal.jsonl");
    journal.take(std::string(64, 'c'));
    journal.take(std::string(64, 'd'));
    journal.leave(std::string(64, 'c'));
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  {
    Journal journal(folder / "journal.jsonl");
    CHECK(journal.interrupted() == std::vector<std::string>{std::string(64, 'd')});
    journal.leave(std::string(64, 'd'));
  }
  CHECK(Journal(folder / "journal.jsonl").interrupted().empty());
}

TEST_CASE("what is at hand where a run ends stays so until a record says that it is done") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "journal.jsonl";
  const std::string id(64, 'a');
  Journal(file).take(id);
  CHECK(Journal(file).interrupted() == std::vector<std::string>{id});
  CHECK(Journal(file).interrupted() == std::vector<std::string>{id});
  Journal(file).append(record_with('a', folder.path()));
  CHECK(Journal(file).interrupted().empty());
  CHECK(folder.names() == std::vector<std::string>{"journal.jsonl"});
}

TEST_CASE("a lock that is none, and a last line that begins no record, are left as they are") {
  const TemporaryFolder folder;
  write_text(folder / "journal.jsonl.lock", "mine");
  check_fails(ErrorKind::output, {"journal.jsonl.lock", "no run of lapis"}, [&] { Journal(folder / "journal.jsonl"); });
  CHECK(read_text(folder / "journal.jsonl.lock") == "mine");
  for (const std::string text : {"mine", "{\"idea\": 1"}) {
    write_text(folder / "a", text);
    check_fails(ErrorKind::input, {"the last line is no record"}, [&] { Journal(folder / "a"); });
    CHECK(read_text(folder / "a") == text);
  }
}

TEST_CASE("a journal that a run has is not replaced") {
  const TemporaryFolder folder;
  {
    const Journal running(folder / "journal.jsonl");
    check_fails(ErrorKind::output, {"is being written by process"}, [&] { JournalHold(folder / "journal.jsonl"); });
  }
  replace_journal(folder / "journal.jsonl",
                  std::vector{record_with('a', folder.path()), record_with('b', folder.path())});
  CHECK(read_journal(folder / "journal.jsonl").size() == 2);
}
