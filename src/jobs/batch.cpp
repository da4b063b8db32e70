#include "jobs/batch.hpp"

#include <algorithm>
#include <span>
#include <system_error>
#include <utility>

#include "core/stopwatch.hpp"
#include "core/text/sentence.hpp"
#include "io/file/atomic_file.hpp"
#include "io/file/sha256.hpp"
#include "jobs/output_template.hpp"
#include "pipeline/events.hpp"

namespace fs = std::filesystem;

namespace lapis::jobs {
namespace {

constexpr int stopped_exit = 130;  ///< as of a program that a person stopped

std::string whole_path(const std::string& path) {
  std::error_code ignored;
  return fs::absolute(path, ignored).lexically_normal().string();
}

/// The id of a line that is no job.
std::string id_of_fault(const BatchJob& job) {
  const std::string text = "fault " + job.where;
  return io::sha256(std::as_bytes(std::span(text)));
}

bool is_there(const std::string& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

}  // namespace

Batch::Batch(BatchAsked asked, BatchEvents events, bool writes)
    : asked_(std::move(asked)), events_(std::move(events)), list_(asked_.list) {
  pipeline::check_output(asked_.policy);
  events_.outlet.reports = true;  // the journal wants digests
  if (asked_.journal.empty()) return;
  if (writes) {
    journal_.emplace(asked_.journal);
    known_ = journal_->records();
  } else {
    known_ = io::read_journal(asked_.journal);
  }
  for (std::size_t i = 0; i < known_.size(); ++i) {
    by_id_[known_[i].id] = i;
    for (const io::JournalOutput& output : known_[i].outputs) by_path_[whole_path(output.path)] = i;
  }
}

const std::vector<CheckedJob>& Batch::check() {
  is_checking_ = true;
  std::size_t count = 0;
  for (; std::optional<BatchJob> job = list_.next(); ++count) {
    if (std::optional<CheckedJob> fine = outlined(std::move(*job))) jobs_.push_back(std::move(*fine));
  }
  if (asked_.shard) keep_shard();
  is_dealt_ = true;
  std::erase_if(jobs_, [&](CheckedJob& job) { return !takes(job, [&] { check_outputs(job); }); });
  is_checking_ = false;
  of_ = count;
  for (io::JournalRecord& fault : faults_) {
    fault.of = of_;
    record(fault);
  }
  sort_by_load();
  return jobs_;
}

std::optional<CheckedJob> Batch::outlined(BatchJob job) {
  CheckedJob outlined{std::move(job), {}};
  const bool is_one = takes(outlined, [&] {
    if (outlined.job.fault) throw Error(*outlined.job.fault);
    outlined.outline = outline(outlined.job, files_);
    outlined.outline.engine.keep_bytes = asked_.memory;
    claim_outputs(outlined);
  });
  return is_one ? std::optional(std::move(outlined)) : std::nullopt;
}

/// Whether a job is one after this `step`; where it throws, that is told of.
bool Batch::takes(CheckedJob& job, const std::function<void()>& step) {
  try {
    step();
    return true;
  } catch (const Error& error) {
    if (job.outline.id.empty()) job.outline.id = id_of_fault(job.job);
    const bool is_ours = !asked_.shard || asked_.shard->index == 1 || is_dealt_;  // what is no job is the first's
    if (is_ours) fail(job.job, job.job.fault ? error : at(job.job.where, error), record_of(job));
    return false;
  }
}

/// Refuses a job whose outputs are those of one before, or no files.
void Batch::claim_outputs(const CheckedJob& job) {
  for (const std::string& output : job.outline.outputs) {
    std::error_code ignored;
    if (fs::is_other(output, ignored) || fs::is_directory(output, ignored)) {
      throw Error(ErrorKind::usage, core::sentence("{-output} {}: a batch writes files, and that is none", output));
    }
    const auto [claim, is_free] = claimed_.emplace(whole_path(output), job.job.where);
    if (is_free) continue;
    throw Error(ErrorKind::usage, core::sentence("it would write {}, as {} does.", output, claim->second),
                core::sentence("Let names differ: {-output} with {{line}}, {{seed}} or {{prompt}} in it"));
  }
}

/// Decides whether the job was done, and refuses outputs that are another's.
void Batch::check_outputs(CheckedJob& job) {
  const auto known = by_id_.find(job.outline.id);
  const io::JournalRecord* record = known == by_id_.end() ? nullptr : &known_[known->second];
  job.is_ours = record != nullptr && !record->outputs.empty();
  if (journal_ && std::ranges::find(journal_->interrupted(), job.outline.id) != journal_->interrupted().end()) {
    job.is_ours = true;
  }
  job.is_done = record != nullptr && record->done() && !asked_.policy.overwrite && is_whole(*record);
  if (job.is_ours || asked_.policy.overwrite || asked_.policy.skip_existing) return;
  for (const std::string& output : job.outline.outputs) {
    if (!is_there(output)) continue;
    const auto owner = by_path_.find(whole_path(output));
    if (owner == by_path_.end()) {
      io::check_writable(output, /*overwrite=*/false);
      continue;
    }
    throw Error(ErrorKind::output,
                core::sentence("{} is there already, and another job made it: line {} of a list before this one.",
                               output, known_[owner->second].line),
                core::sentence("Replace it with {overwrite}, or name another folder"));
  }
}

/// Whether all outputs of a job are there as they were written.
bool Batch::is_whole(const io::JournalRecord& record) const {
  return std::ranges::all_of(record.outputs, [](const io::JournalOutput& output) {
    std::error_code ignored;
    return fs::is_regular_file(output.path, ignored) &&
           io::sha256_file(output.path, ErrorKind::output) == output.sha256;
  });
}

void Batch::keep_shard() {
  std::vector<JobCost> costs;
  for (const CheckedJob& job : jobs_) costs.push_back({job.outline.id, std::max(job.outline.cost, 1.0)});
  const std::vector<int> shards = dealt(costs, asked_.shard->count);
  std::vector<CheckedJob> kept;
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    if (shards[i] == asked_.shard->index) kept.push_back(std::move(jobs_[i]));
  }
  jobs_ = std::move(kept);
}

/// Jobs that load the same follow one another, each kind where its first job stands.
void Batch::sort_by_load() {
  std::map<std::string, std::size_t> first;
  for (CheckedJob& job : jobs_) {
    const EngineOptions& engine = job.outline.engine;
    const std::string key = core::sentence("{} {} {} {} {}", engine.device, engine.dtype, engine.vae_dtype,
                                           engine.threads, job.outline.load);
    job.turn = first.emplace(key, first.size()).first->second;
  }
  std::ranges::stable_sort(jobs_, {}, &CheckedJob::turn);
}

BatchResult Batch::run() {
  if (asked_.fail_fast && result_.failed > 0) result_.stopped = true;
  std::size_t ended = 0;
  for (const CheckedJob& job : jobs_) {
    if (!goes_on(job)) break;
    if (events_.ended) events_.ended(++ended, jobs_.size());
  }
  return result_;
}

BatchResult Batch::run_as_read() {
  for (std::optional<BatchJob> job = list_.next(); job && !result_.stopped; job = list_.next()) {
    std::optional<CheckedJob> fine = outlined(std::move(*job));
    if (fine && takes(*fine, [&] { check_outputs(*fine); })) goes_on(*fine);
    if (asked_.fail_fast && result_.failed > 0) result_.stopped = true;
  }
  return result_;
}

/// Does a job unless it was done; false where the batch is to end.
bool Batch::goes_on(const CheckedJob& job) {
  if (!result_.stopped && events_.render.stop && events_.render.stop()) result_.stopped = true;
  if (result_.stopped) return false;
  if (job.is_done) {
    skip(job);
  } else {
    do_job(job);
  }
  if (asked_.fail_fast && result_.failed > 0) result_.stopped = true;
  return !result_.stopped;
}

io::JournalRecord Batch::record_of(const CheckedJob& job) const {
  io::JournalRecord record;
  record.id = job.outline.id;
  record.line = job.job.line;
  record.number = job.job.number;
  record.of = of_;
  record.model = job.outline.model;
  record.cost = job.outline.cost;
  return record;
}

void Batch::do_job(const CheckedJob& job) {
  io::JournalRecord record = record_of(job);
  if (events_.busy) events_.busy(true);
  if (journal_) journal_->take(record.id);
  for (int left = asked_.retries; !attempt(job, record, left > 0); --left) {
  }
  if (journal_) journal_->leave(record.id);
  if (events_.busy) events_.busy(false);
}

/// Runs a job once, and writes down what came of it; false where it `may_repeat` and is to.
bool Batch::attempt(const CheckedJob& job, io::JournalRecord& record, bool may_repeat) {
  const core::Stopwatch since;
  try {
    const bool is_whole = write_outputs(job, record);
    record.seconds = since.seconds();
    if (!is_whole) {
      result_.stopped = true;
      record.exit = stopped_exit;
      record.error = "it was stopped";
    }
    this->record(record);
    return true;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::device || !may_repeat) {
      fail(job.job, at(job.job.where, error), record);
      return true;
    }
    pipeline::tell(events_.render.note, core::sentence("{}: {} Once more", job.job.where, error.problem()));
    door_.reset();
    return false;
  }
}

/// Runs a job; what it wrote is in the record, also where it throws. False where a stop ended it.
bool Batch::write_outputs(const CheckedJob& job, io::JournalRecord& record) {
  pipeline::Outlet outlet = events_.outlet;
  outlet.started = {};
  outlet.policy = asked_.policy;
  if (job.is_ours) outlet.policy = {.overwrite = true, .skip_existing = false};
  record.outputs.clear();
  const auto on_written = [&](const pipeline::Written& output) {
    record.outputs.push_back({output.path, output.sha256});
    if (events_.written) events_.written(job.job, output);
  };
  if (!jobs::run(job.job, files_, door_for(job.outline), events_.render, outlet, on_written)) return false;
  if (record.outputs.empty()) {
    skip(job);
  } else {
    ++result_.done;
  }
  for (const std::string& output : job.outline.outputs) {
    if (std::ranges::find(record.outputs, output, &io::JournalOutput::path) != record.outputs.end()) continue;
    record.outputs.push_back({output, io::sha256_file(output, ErrorKind::output)});  // it was there, and stayed
  }
  return true;
}

void Batch::fail(const BatchJob& job, const Error& error, io::JournalRecord record) {
  ++result_.failed;
  if (events_.failed) events_.failed(job, error);
  record.exit = exit_code(error.kind());
  record.error = error.problem();
  if (is_checking_) {
    faults_.push_back(std::move(record));
  } else {
    this->record(record);
  }
}

void Batch::skip(const CheckedJob& job) {
  ++result_.skipped;
  if (events_.skipped) events_.skipped(job.job, job.outline.outputs);
}

void Batch::record(const io::JournalRecord& record) {
  if (journal_) journal_->append(record);
}

/// The door of the engine that a job runs on; another one closes the one before.
pipeline::EngineDoor& Batch::door_for(const Outline& outline) {
  if (!door_ || !same_engine(door_->options(), outline.engine)) {
    door_.reset();
    door_.emplace(outline.engine, pipeline::EngineEnd::with_door);
  }
  return *door_;
}

std::optional<double> Batch::estimate() const {
  std::map<std::string, std::pair<double, double>> seen;  // seconds and cost, by model
  for (const io::JournalRecord& record : known_) {
    if (!record.done()) continue;
    seen[record.model].first += record.seconds;
    seen[record.model].second += record.cost;
  }
  double seconds = 0;
  for (const CheckedJob& job : jobs_) {
    if (job.is_done) continue;
    const auto model = seen.find(job.outline.model);
    if (model == seen.end() || model->second.second <= 0) return std::nullopt;
    seconds += job.outline.cost * model->second.first / model->second.second;
  }
  return seconds;
}

}  // namespace lapis::jobs
