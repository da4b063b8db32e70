// Many jobs, one load: all are checked before the first is done, and what was done is written down.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/stopwatch.hpp"
#include "io/file/child_process.hpp"
#include "io/report/journal.hpp"
#include "jobs/checked_jobs.hpp"
#include "jobs/claims.hpp"
#include "jobs/contact_sheet.hpp"
#include "jobs/job_list.hpp"
#include "jobs/job_messages.hpp"
#include "jobs/request.hpp"
#include "jobs/shard.hpp"
#include "jobs/workers.hpp"
#include "lapis/error.hpp"
#include "lapis/events.hpp"
#include "pipeline/outputs.hpp"

namespace lapis::jobs {

/// What is asked.
struct BatchAsked {
  ListAsked list;
  pipeline::OutputPolicy policy;
  std::optional<Shard> shard;     ///< of the jobs, the part that is done here
  std::filesystem::path journal;  ///< its file; empty: none is written
  std::uint64_t memory = 0;       ///< bytes of weights that may stay between jobs
  std::size_t workers = 1;        ///< processes that do jobs side by side; with 1 it is this one that does them
  std::string sheet;              ///< a file with all pictures of a list that is read before it is done; "": none
  int retries = 0;                ///< of a job that the device failed
  bool fail_fast = false;         ///< the first failure ends it
};

/// What is told of jobs, beside what is told of each render.
struct BatchEvents {
  Events render;
  std::function<void(const BatchJob&, const pipeline::Written&)> written;
  std::function<void(const CheckedJob&)> skipped;                 ///< done before
  std::function<void(const BatchJob&, const Error&)> failed;      ///< places in front
  std::function<void(std::size_t ended, std::size_t all)> ended;  ///< after each job; `all` is 0 where nobody knows
  std::function<void(bool)> busy;                                 ///< a job begins, or no job is at hand
  pipeline::Outlet outlet;
};

/// How many jobs came to what.
struct BatchResult {
  std::size_t done = 0;
  std::size_t skipped = 0;
  std::size_t failed = 0;
  bool stopped = false;  ///< by `Events::stop`, or by the first failure
};

/// A job that is being done.
struct JobAtHand {
  CheckedJob job;
  io::JournalRecord record;
  core::Stopwatch since;
  int retries = 0;  ///< that are left
};

/// A batch: checked job by job, then done. One that comes through a pipe is checked and done line by line.
class Batch {
 public:
  /// Throws what `JobList` and `io::Journal` do. `writes` is false for a dry run, which locks and makes nothing.
  Batch(BatchAsked asked, BatchEvents events, bool writes);

  /// Reads and checks the whole list. Faults are told of; the others are those to do here, in the order in which they
  /// will be done: jobs that load the same follow one another.
  const std::vector<CheckedJob>& check();

  /// Does what `check` left.
  BatchResult run();

  /// Does each job as it is read.
  BatchResult run_as_read();

  /// Jobs that were read, faults among them.
  std::size_t count() const { return list_.count(); }

  /// What came to an end so far.
  const BatchResult& result() const { return result_; }

  /// Seconds that the jobs left will take, by what the journal says of jobs of their models; none where it says nothing
  /// of one.
  std::optional<double> estimate() const;

 private:
  std::optional<CheckedJob> outlined(BatchJob job);
  bool takes(CheckedJob& job, const std::function<void()>& step);
  void check_inputs(const BatchJob& job);
  void check_outputs(CheckedJob& job);
  pipeline::OutputPolicy policy_of(const BatchJob& job) const;
  const io::JournalRecord* owner_of(const std::string& output);
  std::string done_key(const std::string& id, std::span<const std::string> outputs);
  bool is_whole(const io::JournalRecord& record) const;
  void keep_shard();
  bool goes_on(const CheckedJob& job);
  bool is_stopped();
  JobAtHand begun(const CheckedJob& job);
  void do_here(const CheckedJob& job);
  void hand_out(const CheckedJob& job);
  bool hear(std::optional<int> also = std::nullopt);
  void heed(std::size_t worker, const io::Message& message);
  void end_workers();
  void serve(io::MessageLine& to_maker);
  Outline outline_here(BatchJob& job);
  JobEnd work(CheckedJob& job, const Events& events, const OnWritten& on_written);
  void take_written(JobAtHand& hand, const pipeline::Written& output);
  bool settles(JobAtHand& hand, const JobEnd& end);
  io::JournalRecord record_of(const CheckedJob& job) const;
  void fail(const BatchJob& job, const Error& error, io::JournalRecord record);
  void skip(const CheckedJob& job);
  void count_end();
  void record(const io::JournalRecord& record);

  BatchAsked asked_;
  BatchEvents events_;
  JobList list_;
  Files files_;
  std::optional<io::Journal> journal_;
  std::vector<io::JournalRecord> known_;        ///< of runs before
  std::map<std::string, std::size_t> done_;     ///< by `done_key`, the last in `known_`
  std::map<std::string, std::size_t> by_path_;  ///< whose output lies there, in `known_`
  Claims claims_;
  std::vector<CheckedJob> jobs_;
  std::vector<io::JournalRecord> faults_;  ///< found before it is known how many jobs there are
  bool is_checking_ = false;
  bool is_dealt_ = false;  ///< what is left is this shard's
  std::size_t of_ = 0;     ///< jobs in the whole list; 0 where it is not read before the first is done
  std::size_t ended_ = 0;  ///< jobs that came to an end
  SharedDoor door_;
  BatchResult result_;
  std::optional<ContactSheet> sheet_;
  std::map<std::size_t, JobAtHand> at_hand_;  ///< of workers
  std::optional<Workers> workers_;            ///< where there is more than one
};

}  // namespace lapis::jobs
