// The pictures of a batch in a grid: of two axes one goes down and one across.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/picture/sheet.hpp"
#include "jobs/job_list.hpp"
#include "lapis/error.hpp"

namespace lapis::jobs {

constexpr std::size_t most_sheet_jobs = 1'000;

/// Collects what jobs come to, in any order. What tells jobs apart are the lines of their file, the prompts and the
/// axes: the last of those has a column for each value, all others together a row for each combination. Where there is
/// one alone, the pictures stand in a square, each with its own words.
class ContactSheet {
 public:
  /// `file` is a name that ends in .png, or in .html. Throws Error{usage} for another.
  ContactSheet(std::string file, ListAsked asked);

  /// A job that the sheet has a place for. Throws Error{usage} above `most_sheet_jobs`.
  void expect(const BatchJob& job);

  /// What a job made; of its outputs those that are pictures are shown.
  void add(const BatchJob& job, std::span<const std::string> outputs);

  /// Why a job failed.
  void add(const BatchJob& job, const Error& error);

  /// The grid, pictures read from their files. One that cannot be read says so in its place.
  core::Sheet sheet() const;

  /// Writes the file in place of what is there: a picture as `core::drawn` has it, or a page whose pictures lie in it
  /// and lead to their files. False where a picture lacks letters of words, those beyond ASCII. Throws Error{output}.
  bool write() const;

 private:
  /// A job and what is to stand in its cell.
  struct Entry {
    BatchJob job;
    std::vector<std::string> pictures;
    std::string text;  ///< where there are none
  };
  /// What tells a job from others: the values of its row, then that of its column.
  using Words = std::vector<std::string>;

  bool is_page() const;
  Words words_of(const BatchJob& job) const;
  core::Sheet crossed(core::Sheet sheet) const;
  core::Sheet squared(core::Sheet sheet) const;
  std::string shown(const std::string& word) const;
  core::SheetCell cell_of(const Entry& entry, const std::string& caption) const;
  core::SheetTile tile_of(const std::string& picture) const;

  std::string file_;
  ListAsked asked_;
  std::map<std::size_t, Entry> entries_;  ///< by number
  bool has_lines_ = false;                ///< jobs are of more than one line
};

}  // namespace lapis::jobs
