#include "jobs/batch.hpp"

#include <algorithm>
#include <exception>
#include <set>
#include <span>
#include <system_error>
#include <utility>

#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "io/file/atomic_file.hpp"
#include "io/file/sha256.hpp"
#include "io/file/shortage.hpp"
#include "jobs/job_messages.hpp"
#include "jobs/output_template.hpp"
#include "pipeline/events.hpp"

namespace fs = std::filesystem;

namespace lapis::jobs {
namespace {

constexpr int stopped_exit = 130;  ///< as of a program that a person stopped

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
  if (asked_.workers > 1) workers_.emplace(asked_.workers, [this](io::MessageLine& to_maker) { serve(to_maker); });
  claims_.reserve(asked_.list.file == "-" ? "" : asked_.list.file, "the list of jobs");
  claims_.reserve(asked_.list.prompts, "the file of prompts");
  claims_.reserve(asked_.journal.string(), "the journal");
  if (!asked_.journal.empty()) claims_.reserve(asked_.journal.string() + ".lock", "the journal's lock");
  if (!asked_.sheet.empty()) {
    if (const char* what = claims_.reserved(asked_.sheet)) {
      throw Error(ErrorKind::usage, core::sentence("{sheet} {}: that is {}. Name another file", asked_.sheet, what));
    }
    sheet_.emplace(asked_.sheet, asked_.list);
    std::error_code ignored;  // what cannot be made is told by whoever tries to write there
    if (writes) fs::create_directories(fs::absolute(asked_.sheet).parent_path(), ignored);
    if (writes) io::check_writable(asked_.sheet, /*overwrite=*/true);
    claims_.reserve(asked_.sheet, "the sheet");
  }
  if (asked_.journal.empty()) return;
  if (writes) {
    journal_.emplace(asked_.journal);
    known_ = journal_->records();
  } else {
    known_ = io::read_journal(asked_.journal);
  }
  for (std::size_t i = 0; i < known_.size(); ++i) {
    std::vector<std::string> outputs;
    for (const io::JournalOutput& output : known_[i].outputs) {
      outputs.push_back(output.path);
      by_path_[claims_.whole_path(output.path)] = i;
    }
    if (known_[i].done()) done_[done_key(known_[i].id, outputs)] = i;
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
  for (const CheckedJob& job : jobs_) {
    if (sheet_) sheet_->expect(job.job);
  }
  of_ = count;
  for (io::JournalRecord& fault : faults_) {
    fault.of = of_;
    record(fault);
  }
  sort_by_load(jobs_);
  return jobs_;
}

std::optional<CheckedJob> Batch::outlined(BatchJob job) {
  CheckedJob outlined{std::move(job), {}};
  const bool is_one = takes(outlined, [&] {
    if (outlined.job.fault) throw Error(*outlined.job.fault);
    check_inputs(outlined.job);
    outlined.outline = outline_here(outlined.job);
    claims_.write(outlined.job, outlined.outline.outputs, list_);
  });
  return is_one ? std::optional(std::move(outlined)) : std::nullopt;
}

/// Whether a job is one after this `step`; where it throws, that is told of.
bool Batch::takes(CheckedJob& job, const std::function<void()>& step) {
  try {
    step();
    return true;
  } catch (const std::exception&) {
    const Error error = io::handled_error();
    if (job.outline.id.empty()) job.outline.id = id_of_fault(job.job);
    const bool is_ours = !asked_.shard || asked_.shard->index == 1 || is_dealt_;  // what is no job is the first's
    if (is_ours) fail(job.job, job.job.fault ? error : at(job.job.where, error), record_of(job));
    return false;
  }
}

/// Refuses a job that reads what another makes, where their order is not certain; a pipe is done line by line.
void Batch::check_inputs(const BatchJob& job) {
  const std::vector<std::string> inputs = inputs_of(job);
  for (const std::string& input : inputs) {
    const std::optional<JobPoint> writer = claims_.writer(input);
    if (!writer) continue;
    if (is_checking_) {
      throw Error(ErrorKind::usage,
                  core::sentence("it reads {}, which {} writes, and jobs of a list have no order.", input,
                                 list_.where(*writer)),
                  "Put it into a list of its own that is done afterwards, or send the lines through a pipe");
    }
    end_workers();
  }
  claims_.read(job, inputs);
}

/// Decides whether the job was done, and refuses outputs that are another's.
void Batch::check_outputs(CheckedJob& job) {
  const std::vector<std::string>& outputs = job.outline.outputs;
  const auto is_own = [&](const std::string& output) {
    const io::JournalRecord* owner = owner_of(output);
    return owner != nullptr && owner->id == job.outline.id;
  };
  const bool was_at_hand =
      journal_ && std::ranges::find(journal_->interrupted(), job.outline.id) != journal_->interrupted().end();
  job.is_ours = was_at_hand ||
                (std::ranges::any_of(outputs, is_there) && std::ranges::all_of(outputs, [&](const std::string& output) {
                   return !is_there(output) || is_own(output);
                 }));
  const auto done = done_.find(done_key(job.outline.id, outputs));
  const pipeline::OutputPolicy policy = policy_of(job.job);
  pipeline::check_output(policy);
  for (const std::string& output : outputs) files_.models().check_no_output(output);
  job.is_done = done != done_.end() && !policy.overwrite && is_whole(known_[done->second]);
  if (job.is_ours || job.is_done || policy.overwrite || policy.skip_existing) return;
  for (const std::string& output : outputs) {
    if (!is_there(output) || is_own(output)) continue;
    const io::JournalRecord* owner = owner_of(output);
    if (owner == nullptr) {
      io::check_writable(output, /*overwrite=*/false);
      continue;
    }
    throw Error(ErrorKind::output,
                core::sentence("{} is there already, and another job made it: line {} of a list before this one.",
                               output, owner->line),
                core::sentence("Replace it with {overwrite}, or name another folder"));
  }
}

/// What a job and the batch say of files that are there.
pipeline::OutputPolicy Batch::policy_of(const BatchJob& job) const {
  return {asked_.policy.overwrite || job.said.job.overwrite, asked_.policy.skip_existing || job.said.job.skip_existing};
}

/// The last record of runs before that has this output; null for none.
const io::JournalRecord* Batch::owner_of(const std::string& output) {
  const auto owner = by_path_.find(claims_.whole_path(output));
  return owner == by_path_.end() ? nullptr : &known_[owner->second];
}

/// What tells jobs apart that were done: the id, and where all outputs lie.
std::string Batch::done_key(const std::string& id, std::span<const std::string> outputs) {
  std::set<std::string> paths;
  for (const std::string& output : outputs) paths.insert(claims_.whole_path(output));
  std::string key = id;
  for (const std::string& path : paths) key += '\n' + path;
  return key;
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

BatchResult Batch::run() {
  if (asked_.fail_fast && result_.failed > 0) result_.stopped = true;
  for (const CheckedJob& job : jobs_) {
    if (!goes_on(job)) break;
  }
  end_workers();
  if (sheet_ && !sheet_->write()) {
    pipeline::tell(events_.render.note,
                   core::sentence("{} shows letters beyond ASCII as \"?\"; a sheet that is a page (.html) has them",
                                  asked_.sheet));
  }
  return result_;
}

BatchResult Batch::run_as_read() {
  while (!is_stopped()) {
    if (workers_ && workers_->is_busy()) {
      const std::optional<int> awaited = workers_->idle() ? list_.awaited() : std::nullopt;
      const bool must_wait = !workers_->idle() || awaited;
      if (must_wait && !hear(awaited)) continue;
    }
    std::optional<BatchJob> job = list_.next();
    if (!job) break;
    std::optional<CheckedJob> fine = outlined(std::move(*job));
    if (fine && takes(*fine, [&] { check_outputs(*fine); })) goes_on(*fine);
  }
  end_workers();
  return result_;
}

bool Batch::is_stopped() {
  if (asked_.fail_fast && result_.failed > 0) result_.stopped = true;
  if (events_.render.stop && events_.render.stop()) result_.stopped = true;
  return result_.stopped;
}

/// Does a job unless it was done, or has it done; false where the batch is to end.
bool Batch::goes_on(const CheckedJob& job) {
  while (workers_ && !job.is_done && !workers_->idle()) hear();
  if (is_stopped()) return false;
  if (job.is_done) {
    skip(job);
    count_end();
  } else if (workers_) {
    hand_out(job);
  } else {
    do_here(job);
  }
  return !is_stopped();
}

io::JournalRecord Batch::record_of(const CheckedJob& job) const {
  io::JournalRecord record;
  record.id = job.outline.id;
  record.line = job.job.line;
  record.number = job.job.place.number;
  record.of = of_;
  record.model = job.outline.model;
  record.cost = job.outline.cost;
  return record;
}

JobAtHand Batch::begun(const CheckedJob& job) {
  if (events_.busy) events_.busy(true);
  JobAtHand hand{job, record_of(job), {}, asked_.retries};
  if (journal_) journal_->take(hand.record.id);
  return hand;
}

void Batch::do_here(const CheckedJob& job) {
  JobAtHand hand = begun(job);
  const auto on_written = [&](const pipeline::Written& output) { take_written(hand, output); };
  while (!settles(hand, work(hand.job, events_.render, on_written))) {
  }
}

/// Gives a job to a worker without one.
void Batch::hand_out(const CheckedJob& job) {
  const std::size_t worker = workers_->idle().value();
  at_hand_.insert_or_assign(worker, begun(job));
  workers_->give(worker, message_of({job.job.place, job.is_ours}));
}

/// Waits for what workers say, or until `also` can be read; whether it can.
bool Batch::hear(std::optional<int> also) {
  const Workers::News news = workers_->wait(also);
  for (const Workers::Heard& heard : news.heard) {
    if (!at_hand_.contains(heard.worker)) continue;
    heed(heard.worker, heard.end.empty() ? heard.message : message_of({false, lost_worker(heard.end), true}));
  }
  if (is_stopped() && events_.render.stop && events_.render.stop()) workers_->ask_to_end();
  return news.can_read;
}

void Batch::heed(std::size_t worker, const io::Message& message) {
  JobAtHand& hand = at_hand_.at(worker);
  if (message.front() == note_word) return pipeline::tell(events_.render.note, message.at(1));
  if (message.front() == warning_word) return pipeline::tell(events_.render.warning, message.at(1));
  if (message.front() == written_word) return take_written(hand, {message.at(1), message.at(2), message.at(3)});
  if (!settles(hand, job_end(message)))
    return workers_->give(worker, message_of({hand.job.job.place, hand.job.is_ours}));
  at_hand_.erase(worker);
  workers_->free(worker);
  if (events_.busy) events_.busy(workers_->is_busy());
}

/// Waits for the jobs that workers are at.
void Batch::end_workers() {
  while (workers_ && workers_->is_busy()) hear();
}

/// What a worker does.
void Batch::serve(io::MessageLine& to_maker) {
  Events events;
  events.note = [&](const std::string& text) { to_maker.send({note_word, text}); };
  events.warning = [&](const std::string& text) { to_maker.send({warning_word, text}); };
  events.stop = [&] { return to_maker.is_ended(); };
  const auto on_written = [&](const pipeline::Written& output) {
    to_maker.send({written_word, output.path, output.sha256, output.line});
  };
  while (const std::optional<io::Message> message = to_maker.receive()) {
    const HandedJob handed = handed_job(*message);
    CheckedJob job{list_.again(handed.place), {}, false, handed.is_ours};
    to_maker.send(message_of(work(job, events, on_written)));
  }
}

Outline Batch::outline_here(BatchJob& job) {
  Outline outlined = outline(job, files_);
  outlined.engine.keep_bytes = asked_.memory / asked_.workers;
  if (asked_.workers > 1 && outlined.engine.threads == 0) {
    outlined.engine.threads = std::max(1, io::physical_cores() / static_cast<int>(asked_.workers));
  }
  return outlined;
}

/// Does a job, here and now.
JobEnd Batch::work(CheckedJob& job, const Events& events, const OnWritten& on_written) {
  pipeline::Outlet outlet = events_.outlet;
  outlet.started = {};
  outlet.policy = policy_of(job.job);
  if (job.is_ours) outlet.policy = {.overwrite = true, .skip_existing = false};
  try {
    if (job.outline.id.empty()) job.outline = outline_here(job.job);
    return {!jobs::run(job.job, files_, door_.of(job.outline.engine), events, outlet, on_written), std::nullopt, false};
  } catch (const std::exception&) {
    const Error error = io::handled_error();
    if (error.kind() == ErrorKind::device && asked_.retries > 0) door_.close();
    return {false, error, false};
  }
}

void Batch::take_written(JobAtHand& hand, const pipeline::Written& output) {
  hand.record.outputs.push_back({output.path, output.sha256});
  if (events_.written) events_.written(hand.job.job, output);
}

/// Writes down what came of a job; false where it is to be done once more.
bool Batch::settles(JobAtHand& hand, const JobEnd& end) {
  const BatchJob& job = hand.job.job;
  if (end.error && end.error->kind() == ErrorKind::device && hand.retries-- > 0) {
    pipeline::tell(events_.render.note, core::sentence("{}: {} Once more", job.where, end.error->problem()));
    hand.job.is_ours = hand.job.is_ours || !policy_of(job).skip_existing;  // some outputs may be there
    if (hand.job.is_ours) hand.record.outputs.clear();
    hand.since = {};
    return false;
  }
  hand.record.seconds = hand.since.seconds();
  if (end.stopped) {
    result_.stopped = true;
    hand.record.exit = stopped_exit;
    hand.record.error = "it was stopped";
    record(hand.record);
  } else if (end.error) {
    fail(job, at(job.where, *end.error), hand.record);
  } else if (hand.record.outputs.empty()) {
    skip(hand.job);  // all was there, and nothing of it is this job's
  } else {
    ++result_.done;
    if (sheet_) sheet_->add(job, hand.job.outline.outputs);
    record(hand.record);
  }
  if (journal_ && !end.is_lost) journal_->leave(hand.record.id);
  if (events_.busy && !workers_) events_.busy(false);
  count_end();
  return true;
}

void Batch::count_end() {
  if (events_.ended && !jobs_.empty()) events_.ended(++ended_, jobs_.size());
}

void Batch::fail(const BatchJob& job, const Error& error, io::JournalRecord record) {
  ++result_.failed;
  if (sheet_ && is_checking_) sheet_->expect(job);
  if (sheet_) sheet_->add(job, error);
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
  if (sheet_) sheet_->add(job.job, job.outline.outputs);
  ++result_.skipped;
  if (events_.skipped) events_.skipped(job);
}

void Batch::record(const io::JournalRecord& record) {
  if (journal_) journal_->append(record);
}

std::optional<double> Batch::estimate() const { return estimated_seconds(jobs_, known_, asked_.workers); }

}  // namespace lapis::jobs
