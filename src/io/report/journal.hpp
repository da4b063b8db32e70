// What was done of a list of jobs: a line of JSON for each job in a file beside its outputs (docs/batch.md).
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/file/file_descriptor.hpp"
#include "io/file/run_lock.hpp"

namespace lapis::io {

/// A file that a job made.
struct JournalOutput {
  std::string path;
  std::string sha256;

  bool operator==(const JournalOutput&) const = default;
};

/// One job that was ended.
struct JournalRecord {
  std::string id;          ///< sha256 of the job and of all that it is made from
  std::size_t line = 0;    ///< of its list, as people count
  std::size_t number = 0;  ///< among the jobs of its list, from 1, and how many those are; 0 where nobody knows
  std::size_t of = 0;
  std::vector<JournalOutput> outputs;
  int exit = 0;        ///< the exit code that the job alone would end with
  std::string error;   ///< why it failed; "" where it did not
  std::string model;   ///< whose steps its seconds are of
  double seconds = 0;  ///< from its plan to its last output
  double cost = 0;     ///< what they are in proportion to

  bool done() const { return exit == 0; }
};

/// The record as a line, without its end. Paths of outputs are written relative to `folder`.
std::string journal_line(const JournalRecord& record, const std::filesystem::path& folder);

/// The records of a journal, in their order, their outputs' paths with `folder` in front. What follows the last end of
/// a line, and begins as a record does, was being written when a run was killed, and is none. Throws Error{input} for
/// any other line that is none, and for a file that cannot be read; a file that is not there has none.
std::vector<JournalRecord> read_journal(const std::filesystem::path& file);

/// Keeps runs from a journal, there or not, and leaves what its lock says of jobs at hand. Where no file can be made no
/// run is, and nothing is kept.
class JournalHold {
 public:
  /// Throws Error{output} where a run has it.
  explicit JournalHold(const std::filesystem::path& file);

 private:
  std::optional<RunLock> lock_;
};

/// A journal that is written. One run at a time has it: beside the file lies one with ".lock" behind its name, which
/// tells who, and of what jobs outputs may be half done. It stays as long as there are such jobs.
class Journal {
 public:
  /// Opens or begins it; its folder is made. A torn last line is cut off. Throws Error{output} where another run has
  /// it, or where it cannot be written, and as `read_journal`.
  explicit Journal(const std::filesystem::path& file);

  /// Those of the runs before, in their order.
  const std::vector<JournalRecord>& records() const { return records_; }

  /// Ids of jobs that were at hand when a run ended, and of which no record says that they are done: what lies at their
  /// outputs is theirs.
  const std::vector<std::string>& interrupted() const { return interrupted_; }

  /// Says that a job is about to write, or that it does no more. Throws Error{output}.
  void take(const std::string& id);
  void leave(const std::string& id);

  /// Adds a line, which is on the disk when this returns. Throws Error{output}.
  void append(const JournalRecord& record);

 private:
  void write_lock();

  std::filesystem::path file_;
  RunLock lock_;
  std::vector<JournalRecord> records_;
  std::vector<std::string> interrupted_;
  std::vector<std::string> at_hand_;
  std::optional<FileDescriptor> out_;
};

/// Writes these records in place of those of a journal, of which the caller has the hold. Throws as `write_file`.
void replace_journal(const std::filesystem::path& file, std::span<const JournalRecord> records);

}  // namespace lapis::io
