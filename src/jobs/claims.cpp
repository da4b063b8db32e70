#include "jobs/claims.hpp"

#include <system_error>

#include "core/text/sentence.hpp"
#include "lapis/error.hpp"

namespace fs = std::filesystem;

namespace lapis::jobs {

std::string Claims::whole_path(const std::string& path) {
  std::error_code ignored;
  const fs::path whole = fs::absolute(path, ignored).lexically_normal();
  const auto [folder, is_new] = folders_.emplace(whole.parent_path(), whole.parent_path());
  if (is_new) {
    const fs::path real = fs::weakly_canonical(folder->first, ignored);
    if (!ignored) folder->second = real;
  }
  return (folder->second / whole.filename()).string();
}

void Claims::reserve(const std::string& file, const char* what) {
  if (!file.empty()) reserved_.emplace(whole_path(file), what);
}

const char* Claims::reserved(const std::string& file) {
  const auto kept = reserved_.find(whole_path(file));
  return kept == reserved_.end() ? nullptr : kept->second;
}

std::optional<JobPoint> Claims::found(const Points& points, const std::string& file) {
  const auto point = points.find(text_key(whole_path(file)));
  return point == points.end() ? std::nullopt : std::optional(point->second);
}

std::optional<JobPoint> Claims::writer(const std::string& file) { return found(writers_, file); }

void Claims::read(const BatchJob& job, std::span<const std::string> files) {
  for (const std::string& file : files) readers_.emplace(text_key(whole_path(file)), point_of(job));
}

void Claims::write(const BatchJob& job, std::span<const std::string> files, const JobList& list) {
  for (const std::string& file : files) check_free(job, file, list);
  for (const std::string& file : files) writers_.emplace(text_key(whole_path(file)), point_of(job));
}

void Claims::check_free(const BatchJob& job, const std::string& file, const JobList& list) {
  std::error_code ignored;
  if (fs::is_other(file, ignored) || fs::is_directory(file, ignored)) {
    throw Error(ErrorKind::usage, core::sentence("{-output} {}: a batch writes files, and that is none", file));
  }
  if (const char* what = reserved(file)) {
    throw Error(ErrorKind::usage, core::sentence("it would write {}, which is {}. Name another file", file, what));
  }
  if (const auto reader = found(readers_, file)) {
    const std::string who = *reader == point_of(job) ? "it" : list.where(*reader);
    throw Error(ErrorKind::usage, core::sentence("it would write {}, which {} reads. Name another file", file, who));
  }
  const auto writer = found(writers_, file);
  if (!writer) return;
  throw Error(ErrorKind::usage, core::sentence("it would write {}, as {} does.", file, list.where(*writer)),
              core::sentence("Let names differ: {-output} with {{line}}, {{seed}} or {{prompt}} in it"));
}

}  // namespace lapis::jobs
