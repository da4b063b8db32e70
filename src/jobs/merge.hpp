// The journals of shards as one, and whether they make a whole.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "io/report/journal.hpp"

namespace lapis::jobs {

/// What journals say together.
struct Merged {
  std::vector<io::JournalRecord> records;  ///< of jobs that are done, by their numbers
  std::size_t of = 0;                      ///< jobs of the whole list
  std::vector<std::string> faults;         ///< why it is no whole, one line each
};

/// Joins the journals in these folders ("journal.jsonl", "journal.2-of-4.jsonl"). A fault is a job that none of them
/// has done, one that failed, one that two have done in different places, an output that is not there as it was
/// written, and lists of different lengths. Without faults the records become the journal of the first folder; no run
/// has any of the journals meanwhile. Throws Error{input} for a folder without a journal, Error{output} where a run has
/// one, and as `io::read_journal` and `io::replace_journal`.
Merged merge(std::span<const std::filesystem::path> folders);

}  // namespace lapis::jobs
