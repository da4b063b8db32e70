// Whose the files of a batch are: its own, what its jobs read, what they write.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include "jobs/job_list.hpp"
#include "jobs/text_key.hpp"

namespace lapis::jobs {

/// Of a job little stays here but where it stands: a list that comes through a pipe may have no end.
class Claims {
 public:
  /// A path by which each file has one name, there or not: links of its folder are followed.
  std::string whole_path(const std::string& path);

  /// No output may be this file, which is `what`.
  void reserve(const std::string& file, const char* what);

  /// What the file is reserved for; null for nothing.
  const char* reserved(const std::string& file);

  /// The job that writes a file; none where none does that was told of.
  std::optional<JobPoint> writer(const std::string& file);

  /// Tells of what a job reads.
  void read(const BatchJob& job, std::span<const std::string> files);

  /// Takes the outputs of a job for it. Throws Error{usage} for those of one before, for what one before reads or it
  /// itself, for what is reserved, and for what is no file. `list` says where jobs stand.
  void write(const BatchJob& job, std::span<const std::string> files, const JobList& list);

 private:
  using Points = std::unordered_map<TextKey, JobPoint, TextKeyHash>;

  void check_free(const BatchJob& job, const std::string& file, const JobList& list);
  std::optional<JobPoint> found(const Points& points, const std::string& file);

  std::map<std::filesystem::path, std::filesystem::path> folders_;  ///< with links followed
  std::map<std::string, const char*> reserved_;                     ///< by whole path
  Points readers_;                                                  ///< the first of each, by whole path
  Points writers_;
};

}  // namespace lapis::jobs
