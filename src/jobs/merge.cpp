#include "jobs/merge.hpp"

#include <algorithm>
#include <array>
#include <list>
#include <map>
#include <string>
#include <system_error>
#include <utility>

#include "core/text/sentence.hpp"
#include "io/file/sha256.hpp"
#include "lapis/error.hpp"

namespace fs = std::filesystem;

namespace lapis::jobs {
namespace {

/// Files as they were named, by what they really are.
using Named = std::map<fs::path, fs::path>;

Named journals_in(const fs::path& folder) {
  Named files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with("journal.") && name.ends_with(".jsonl"))
      files.emplace(fs::canonical(folder) / name, entry->path());
  }
  if (files.empty()) {
    throw Error(ErrorKind::input, core::sentence("{} has no journal.", folder.string()),
                "Name folders that batches have written to");
  }
  return files;
}

/// Whether a failure is one of circumstances alone, by which the job got no id: its number may still be the same job's.
bool is_of_circumstances(const io::JournalRecord& record) {
  constexpr std::array kinds = {ErrorKind::model, ErrorKind::device, ErrorKind::output, ErrorKind::internal};
  const bool has_id = record.done() || !record.model.empty();
  return !has_id && std::ranges::any_of(kinds, [&](ErrorKind kind) { return exit_code(kind) == record.exit; });
}

/// Of each number the job that it was last, as it was done, else as it failed last.
std::map<std::size_t, io::JournalRecord> last_records(const fs::path& file) {
  std::map<std::size_t, io::JournalRecord> last;  // a list that was edited gives a number to another job
  std::map<std::pair<std::size_t, std::string>, io::JournalRecord> done;
  for (io::JournalRecord& record : io::read_journal(file)) {
    if (record.done()) done.insert_or_assign({record.number, record.id}, record);
    if (!last.contains(record.number) || !is_of_circumstances(record)) last[record.number] = std::move(record);
  }
  for (auto& [number, record] : last) {
    if (const auto known = done.find({number, record.id}); known != done.end()) record = known->second;
  }
  return last;
}

/// What is known of each job, by its number: the last that was done of it, else the last that failed.
class Joining {
 public:
  void add(const fs::path& file) {
    std::map<std::size_t, io::JournalRecord> last = last_records(file);
    for (auto& [number, record] : last) {
      if (!has_length_) merged_.of = record.of;
      has_length_ = true;
      if (record.of != merged_.of) is_uneven_ = true;
      if (record.done()) {
        add_done(std::move(record));
      } else {
        failed_[record.number] = std::move(record);
      }
    }
  }

  Merged result() && {
    if (is_uneven_ || merged_.of == 0) {
      merged_.faults.insert(merged_.faults.begin(),
                            is_uneven_ ? "the journals are of lists of different lengths"
                                       : "no journal says how many jobs there are: the list came through a pipe");
    }
    for (std::size_t number = 1; number <= merged_.of; ++number) check(number);
    for (auto& [number, record] : done_) merged_.records.push_back(std::move(record));
    return std::move(merged_);
  }

 private:
  void add_done(io::JournalRecord record) {
    const auto known = done_.find(record.number);
    if (known != done_.end() && (known->second.id != record.id || paths_differ(known->second, record))) {
      merged_.faults.push_back(core::sentence("line {} is done twice: {} and {}", record.line,
                                              known->second.outputs.front().path, record.outputs.front().path));
    }
    done_[record.number] = std::move(record);
  }

  static bool paths_differ(const io::JournalRecord& one, const io::JournalRecord& other) {
    return !std::ranges::equal(one.outputs, other.outputs, {}, &io::JournalOutput::path, &io::JournalOutput::path);
  }

  void check(std::size_t number) {
    const auto done = done_.find(number);
    if (done != done_.end()) return check_outputs(done->second);
    const auto failed = failed_.find(number);
    merged_.faults.push_back(failed == failed_.end()
                                 ? core::sentence("job {} of {} is missing", number, merged_.of)
                                 : core::sentence("line {} failed: {}", failed->second.line, failed->second.error));
  }

  void check_outputs(const io::JournalRecord& record) {
    for (const io::JournalOutput& output : record.outputs) {
      std::error_code ignored;
      const bool is_there = fs::is_regular_file(output.path, ignored);
      if (is_there && io::sha256_file(output.path, ErrorKind::input) == output.sha256) continue;
      merged_.faults.push_back(core::sentence("line {}: {} is {}", record.line, output.path,
                                              is_there ? "not as it was written" : "not there"));
    }
  }

  Merged merged_;
  bool has_length_ = false;
  bool is_uneven_ = false;
  std::map<std::size_t, io::JournalRecord> done_;
  std::map<std::size_t, io::JournalRecord> failed_;
};

}  // namespace

Merged merge(std::span<const fs::path> folders) {
  Named files;
  for (const fs::path& folder : folders) files.merge(journals_in(folder));
  const fs::path whole = folders.front() / "journal.jsonl";
  files.emplace(fs::canonical(folders.front()) / "journal.jsonl", whole);
  std::list<io::JournalHold> held;
  for (const auto& [file, named] : files) held.emplace_back(named);
  Joining joining;
  for (const auto& [file, named] : files) joining.add(named);
  Merged merged = std::move(joining).result();
  if (merged.faults.empty()) io::replace_journal(whole, merged.records);
  return merged;
}

}  // namespace lapis::jobs
