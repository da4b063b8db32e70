#include "jobs/merge.hpp"

#include <algorithm>
#include <map>
#include <system_error>
#include <utility>

#include "core/text/sentence.hpp"
#include "io/file/sha256.hpp"
#include "lapis/error.hpp"

namespace fs = std::filesystem;

namespace lapis::jobs {
namespace {

std::vector<fs::path> journals_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with("journal.") && name.ends_with(".jsonl")) files.push_back(entry->path());
  }
  if (files.empty()) {
    throw Error(ErrorKind::input, core::sentence("{} has no journal.", folder.string()),
                "Name folders that batches have written to");
  }
  std::ranges::sort(files);
  return files;
}

/// What is known of each job, by its number: the last that was done of it, else the last that failed.
class Joining {
 public:
  void add(const fs::path& file) {
    std::map<std::size_t, io::JournalRecord> last;  // of each number: a list that was edited gives it to another job
    for (io::JournalRecord& record : io::read_journal(file)) {
      const auto known = last.find(record.number);
      const bool stays = known != last.end() && known->second.done() && !record.done() && known->second.id == record.id;
      if (!stays) last.insert_or_assign(record.number, std::move(record));
    }
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
  Joining joining;
  for (const fs::path& folder : folders) {
    for (const fs::path& file : journals_in(folder)) joining.add(file);
  }
  return std::move(joining).result();
}

void write_merged(const Merged& merged, const fs::path& folder) {
  io::replace_journal(folder / "journal.jsonl", merged.records);
}

}  // namespace lapis::jobs
