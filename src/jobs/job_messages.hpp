// What a batch and its workers tell each other of jobs.
#pragma once

#include <optional>
#include <string>

#include "io/file/child_process.hpp"
#include "jobs/job_list.hpp"
#include "lapis/error.hpp"

namespace lapis::jobs {

/// First texts of what a worker says before the end of a job. Behind them stands what the event has: a text; of an
/// output its path, its sha256 and its report.
inline constexpr const char* note_word = "note";
inline constexpr const char* warning_word = "warning";
inline constexpr const char* written_word = "written";

/// A job as a worker is given it, which has the list itself.
struct HandedJob {
  JobPlace place;
  bool is_ours = false;  ///< what lies at its outputs may be replaced
};

io::Message message_of(const HandedJob& job);
HandedJob handed_job(const io::Message& message);

/// How the doing of a job ended.
struct JobEnd {
  bool stopped = false;        ///< by `Events::stop`
  std::optional<Error> error;  ///< that it failed with
  bool is_lost = false;        ///< with its worker: what it wrote is not known
};

io::Message message_of(const JobEnd& end);
JobEnd job_end(const io::Message& message);

/// Of a job whose worker is no more; `end` says how (`Workers::Heard`).
Error lost_worker(const std::string& end);

}  // namespace lapis::jobs
