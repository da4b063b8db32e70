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
/// written, and lists of different lengths. Throws Error{input} for a folder without a journal, and as
/// `io::read_journal`.
Merged merge(std::span<const std::filesystem::path> folders);

/// Writes the records as the journal of `folder`. Throws as `io::replace_journal`.
void write_merged(const Merged& merged, const std::filesystem::path& folder);

}  // namespace lapis::jobs
