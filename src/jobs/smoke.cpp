#include "jobs/smoke.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <span>
#include <system_error>
#include <utility>

#include "core/stopwatch.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "core/text/suggest.hpp"
#include "io/file/atomic_file.hpp"
#include "io/file/mapped_file.hpp"
#include "io/file/sha256.hpp"
#include "io/file/shortage.hpp"
#include "io/file/temporaries.hpp"
#include "io/picture/png.hpp"
#include "io/report/golden_records.hpp"
#include "io/report/kept_files.hpp"
#include "jobs/request.hpp"
#include "jobs/suite.hpp"
#include "lapis/error.hpp"
#include "lapis/version.hpp"
#include "pipeline/compare.hpp"
#include "pipeline/output_names.hpp"

namespace fs = std::filesystem;

namespace lapis::jobs {
namespace {

/// "exit code 2 (usage: steps is 0)".
std::string end_text(int exit, const std::string& error) {
  return error.empty() ? core::sentence("exit code {}", exit) : core::sentence("exit code {} ({})", exit, error);
}

/// A job that was done.
struct DoneJob {
  std::vector<std::string> outputs;  ///< none where it was refused
  std::string model;
  std::string model_sha256;
};

class SmokeRun {
 public:
  SmokeRun(const SmokeAsked& asked, const SmokeEvents& events)
      : asked_(asked),
        events_(events),
        suite_(io::read_suite(asked.suite)),
        machine_(io::cpu_class()),
        kept_(asked.kept, asked.suite) {
    check_suite(suite_);
    check_updated();
    const bool is_filtered = !asked_.words.empty();  // else those to approve, by their whole names
    cases_ = selected(suite_, is_filtered ? asked_.words : asked_.updated, asked_.shard, !is_filtered);
    records_ = read_records();
    for (const io::SuiteCase& test : suite_.cases) {
      if (test.time) timed_.insert({test.name, test.time->other});
    }
  }

  io::SmokeReport run() {
    const core::Stopwatch watch;
    io::SmokeReport report{suite_.file.string(), machine_, {}, {}, 0, notes_};
    const auto stopped = [&] { return events_.stop && events_.stop(); };
    for (const io::SuiteCase* test : cases_) {
      if (stopped()) break;
      io::SmokeCase done = done_case(*test);
      if (stopped()) break;  // it was cut short
      report.cases.push_back(std::move(done));
      if (events_.ended) events_.ended(report.cases.back());
      if (events_.progress) events_.progress(report.cases.size(), cases_.size());
    }
    report.faults = unowned();
    if (is_changed_) write_records();
    report.seconds = watch.seconds();
    return report;
  }

 private:
  void check_updated() const;
  io::GoldenRecords read_records();
  bool updates(const io::SuiteCase& test) const {
    return asked_.update &&
           (asked_.updated.empty() || std::ranges::find(asked_.updated, test.name) != asked_.updated.end());
  }
  io::SmokeCase done_case(const io::SuiteCase& wanted);
  DoneJob do_job(const io::SuiteCase& wanted, io::SmokeCase& test);
  DoneJob attempt(BatchJob job, io::SmokeCase& test);
  void hold_facts(const io::SuiteCase& wanted, io::SmokeCase& test);
  void hold_output(const io::SuiteCase& wanted, const DoneJob& job, const std::string& output, io::SmokeCase& test);
  void hold_against(const io::SuiteCase& wanted, const DoneJob& job, const std::string& output, io::SmokeGolden& golden,
                    io::SmokeCase& test);
  core::AskedTolerance tolerance_for(const io::SuiteCase& wanted, bool picture, bool elsewhere) const;
  void keep(const std::string& name, const std::string& output, pipeline::Comparison drawn, io::SmokeGolden& golden);
  void approve(const DoneJob& job, const std::string& output, io::SmokeGolden& golden, io::GoldenState state);
  static bool is_of_another(const io::GoldenRecord& record, const std::string& digest);
  std::string digest_of(const std::string& folder);
  std::vector<std::string> unowned() const;
  void write_records();

  const SmokeAsked& asked_;
  const SmokeEvents& events_;
  io::Suite suite_;
  std::string machine_;
  std::vector<const io::SuiteCase*> cases_;
  io::KeptFiles kept_;
  std::vector<std::string> notes_;
  bool is_changed_ = false;  ///< what is recorded
  io::GoldenRecords records_;
  std::set<std::string> timed_;  ///< cases whose seconds are compared
  io::ScratchFolder scratch_;
  Files files_;
  SharedDoor door_;
  std::map<std::string, std::string> made_;  ///< first outputs, by cases
  std::map<std::string, double> seconds_;
  std::map<std::string, std::string> digests_;  ///< of models, by folder
};

void SmokeRun::check_updated() const {
  const std::vector<std::string> names = core::row_names(suite_.cases);
  for (const std::string& name : asked_.updated) {
    if (std::ranges::find(names, name) != names.end()) continue;
    throw Error(ErrorKind::usage,
                core::sentence("{} has no case \"{}\"{}", suite_.file.string(), name, core::guess(name, names)));
  }
}

/// Where every case is approved anew, a file of records that is broken has nothing to say.
io::GoldenRecords SmokeRun::read_records() {
  try {
    return io::read_golden_records(suite_.goldens);
  } catch (const Error& error) {
    if (!asked_.update || !asked_.updated.empty() || !asked_.words.empty()) throw;
    notes_.push_back(core::sentence("{} It is replaced, and what it told is lost", error.problem()));
    is_changed_ = true;
    return {};
  }
}

io::SmokeCase SmokeRun::done_case(const io::SuiteCase& wanted) {
  io::SmokeCase test;
  test.name = wanted.name;
  test.again = asked_.again(wanted.name);
  kept_.clear(wanted.name);
  io::restart_peak_memory();
  const DoneJob job = do_job(wanted, test);
  test.memory = io::peak_memory().value_or(0);
  seconds_[wanted.name] = test.seconds;
  hold_facts(wanted, test);
  if (!wanted.golden) return test;
  for (const std::string& output : job.outputs) hold_output(wanted, job, output, test);
  return test;
}

/// Does the job of a case, twice where its seconds are compared: the first time may have loaded what the other found.
DoneJob SmokeRun::do_job(const io::SuiteCase& wanted, io::SmokeCase& test) {
  for (const std::string& name : needs(wanted)) {
    const bool is_read = !wanted.time || wanted.time->other != name;
    if (!is_read || made_.contains(name)) continue;
    test.faults.push_back(core::sentence("case {}, whose output it reads, made none", name));
    return {};
  }
  const BatchJob job = job_of(wanted, suite_, scratch_.path(), made_);
  DoneJob done = attempt(job, test);
  if (timed_.contains(wanted.name) && test.error.empty()) {
    const double first = test.seconds;
    done = attempt(job, test);
    test.seconds = std::min(first, test.seconds);
  }
  if (!done.outputs.empty()) made_[wanted.name] = done.outputs.front();
  if (test.exit != wanted.exit) {
    test.faults.push_back(
        core::sentence("it ended with {}; expected exit code {}", end_text(test.exit, test.error), wanted.exit));
  }
  return done;
}

DoneJob SmokeRun::attempt(BatchJob job, io::SmokeCase& test) {
  const core::Stopwatch watch;
  DoneJob done;
  try {
    Outline outline = jobs::outline(job, files_);
    outline.engine.keep_bytes = asked_.memory;
    pipeline::Outlet outlet;
    outlet.policy = {.overwrite = true, .skip_existing = false};
    Events events;
    events.stop = events_.stop;
    events.warning = [&](const std::string& text) {
      const std::string note = core::plain(text);
      if (std::ranges::find(test.notes, note) == test.notes.end()) test.notes.push_back(note);
    };
    jobs::run(job, files_, door_.of(outline.engine), events, outlet, [](const pipeline::Written&) {});
    done.model = outline.model;
    done.model_sha256 = digest_of(outline.folder);
    done.outputs = outline.outputs;
  } catch (const Error& error) {
    test.exit = exit_code(error.kind());
    test.error = error.problem();
  }
  test.seconds = watch.seconds();
  return done;
}

/// The digest of all that a model's files are.
std::string SmokeRun::digest_of(const std::string& folder) {
  if (folder.empty()) return "";
  const auto [digest, is_new] = digests_.emplace(folder, "");
  if (!is_new) return digest->second;
  std::string text;
  for (const auto& [name, facts] : files_.models().open(folder).files) text += name + " " + facts.sha256 + "\n";
  digest->second = io::sha256(std::as_bytes(std::span(text)));
  return digest->second;
}

void SmokeRun::hold_facts(const io::SuiteCase& wanted, io::SmokeCase& test) {
  constexpr double megabyte = 1e6;
  if (wanted.memory && test.memory == 0) test.notes.emplace_back("this system does not say how much memory it took");
  if (wanted.memory && test.memory > *wanted.memory) {
    test.faults.push_back(core::sentence("it took {:.0f} MB of memory, more than {:.0f} MB",
                                         static_cast<double>(test.memory) / megabyte,
                                         static_cast<double>(*wanted.memory) / megabyte));
  }
  if (!wanted.time) return;
  const double other = seconds_.at(wanted.time->other);
  if (test.seconds <= wanted.time->at_most * other) return;
  test.faults.push_back(core::sentence("it took {:.2f} s, {:.2f} times the {:.2f} s of {}; at most {:.4g} times",
                                       test.seconds, test.seconds / other, other, wanted.time->other,
                                       wanted.time->at_most));
}

void SmokeRun::hold_output(const io::SuiteCase& wanted, const DoneJob& job, const std::string& output,
                           io::SmokeCase& test) {
  io::SmokeGolden golden;
  golden.name = fs::path(output).filename().string();
  golden.expected = (suite_.goldens / golden.name).string();
  std::error_code ignored;
  try {
    if (fs::exists(golden.expected, ignored)) {
      hold_against(wanted, job, output, golden, test);
    } else if (updates(wanted)) {
      approve(job, output, golden, io::GoldenState::added);
    } else {
      keep(wanted.name, output, {}, golden);
      test.faults.push_back(core::sentence("there is no golden {}; what was made is {}. Look at it, and approve it",
                                           golden.expected, golden.kept_actual));
    }
  } catch (const Error& error) {
    golden.state = io::GoldenState::differs;
    test.faults.push_back(core::sentence("{}: {} {}", golden.name, error.problem(), error.advice()));
  }
  if (golden.state == io::GoldenState::differs || golden.state == io::GoldenState::missing) {
    test.approve = asked_.approve(wanted.name);
  }
  test.goldens.push_back(std::move(golden));
}

core::AskedTolerance SmokeRun::tolerance_for(const io::SuiteCase& wanted, bool picture, bool elsewhere) const {
  core::AskedTolerance asked = elsewhere ? wanted.other_machine : wanted.tolerance;
  const core::AskedTolerance& usual = picture ? (elsewhere ? suite_.other_machine : suite_.tolerance)
                                              : (elsewhere ? suite_.latent_other_machine : suite_.latent_tolerance);
  asked.insert(usual.begin(), usual.end());
  return asked;
}

/// Whether a golden with these pixels is none that its record tells of: somebody put another file in its place.
bool SmokeRun::is_of_another(const io::GoldenRecord& record, const std::string& digest) {
  if (record.approved.empty() || digest.empty()) return false;
  const std::string& first = record.approved.front().pixels_sha256;
  return !first.empty() && first != digest;
}

/// Exact ones first, of several that were approved; then thresholds, which are those for other machines where the same
/// model ran on none of those that were approved.
void SmokeRun::hold_against(const io::SuiteCase& wanted, const DoneJob& job, const std::string& output,
                            io::SmokeGolden& golden, io::SmokeCase& test) {
  const io::GoldenRecord& record = records_[golden.name];
  const bool same_model = record.model_sha256 == job.model_sha256;
  const bool elsewhere = !record.approved.empty() && same_model &&
                         std::ranges::find(record.approved, machine_, &io::Approval::cpu) == record.approved.end();
  pipeline::CompareAsked asked{golden.expected,
                               output,
                               tolerance_for(wanted, pipeline::is_picture_name(output), elsewhere),
                               {},
                               updates(wanted) ? pipeline::Drawn::nothing : pipeline::Drawn::differences};
  pipeline::Comparison comparison;
  try {
    comparison = pipeline::compare(asked, {});
    golden.pair = comparison.pairs.front();
  } catch (const Error& error) {
    if (!updates(wanted) || error.kind() == ErrorKind::usage) throw;
    return approve(job, output, golden, io::GoldenState::replaced);  // that is no golden of this any more
  }
  if (is_of_another(record, golden.pair->a.pixels_sha256)) {
    test.notes.push_back(core::sentence(
        "{} is not the picture that goldens.json tells of: what was approved with that does not count", golden.name));
    records_.erase(golden.name);
    return hold_against(wanted, job, output, golden, test);
  }
  const std::string& digest = golden.pair->b.pixels_sha256;
  const bool is_approved = !digest.empty() && std::ranges::find(record.approved, digest,
                                                                &io::Approval::pixels_sha256) != record.approved.end();
  golden.state = io::GoldenState::exact;
  if (is_approved || (golden.pair->difference && golden.pair->difference->identical())) {
    if (record.approved.empty() && updates(wanted)) approve(job, output, golden, io::GoldenState::also);
    return;
  }
  if (elsewhere) {
    test.notes.push_back(core::sentence("{} was made on {}, and this is {}: the thresholds for other machines hold",
                                        golden.name, record.approved.front().cpu, machine_));
  }
  golden.state = golden.pair->equal() ? io::GoldenState::within : io::GoldenState::differs;
  const auto& warning = golden.pair->judgement.warning;
  if (warning) test.notes.push_back(core::sentence("{}: {}", golden.name, core::plain(warning->text)));
  if (updates(wanted)) {
    const bool is_beside = golden.state == io::GoldenState::within && !record.approved.empty();
    if (!is_beside || !digest.empty())
      approve(job, output, golden, is_beside ? io::GoldenState::also : io::GoldenState::replaced);
    return;
  }
  if (golden.state == io::GoldenState::within) return;
  if (!record.approved.empty() && !same_model) {
    test.notes.push_back(core::sentence("{} was approved of another model than {} is now", golden.name, job.model));
  }
  keep(wanted.name, output, std::move(comparison), golden);
  test.faults.push_back(core::sentence("{} differs: {}", golden.name, io::changed_golden_text(*golden.pair)));
}

/// Keeps what was made, what was approved and what differs, but of latents of two sizes.
void SmokeRun::keep(const std::string& name, const std::string& output, pipeline::Comparison drawn,
                    io::SmokeGolden& golden) {
  const std::string stem = fs::path(golden.name).stem().string();
  const std::string ending = fs::path(golden.name).extension().string();
  golden.kept_actual = kept_.write(name, stem + "-actual" + ending, io::MappedFile(output, ErrorKind::input).bytes());
  if (golden.state == io::GoldenState::missing) {
    if (pipeline::is_picture_name(output)) golden.actual_picture = pipeline::picture_of(output).image;
    return;
  }
  golden.kept_expected =
      kept_.write(name, stem + "-expected" + ending, io::MappedFile(golden.expected, ErrorKind::input).bytes());
  if (!drawn.drawing) return;
  golden.kept_difference = kept_.write(name, stem + "-difference.png", io::encode_png(*drawn.drawing, {}));
  if (!drawn.pictures) return;
  golden.expected_picture = std::move(drawn.pictures->first);
  golden.actual_picture = std::move(drawn.pictures->second);
}

void SmokeRun::approve(const DoneJob& job, const std::string& output, io::SmokeGolden& golden, io::GoldenState state) {
  io::GoldenRecord& record = records_[golden.name];
  std::string digest;
  if (golden.pair) {
    digest = golden.pair->b.pixels_sha256;
  } else if (pipeline::is_picture_name(output)) {
    digest = pipeline::picture_of(output).pixels_sha256;
  }
  if (state != io::GoldenState::also) {
    std::error_code ignored;  // what cannot be made is told by whoever writes there
    fs::create_directories(suite_.goldens, ignored);
    io::write_file(golden.expected, io::MappedFile(output, ErrorKind::input).bytes(), /*overwrite=*/true);
    record.approved.clear();
  }
  record.approved.push_back({digest, machine_, version});
  record.model = job.model;
  record.model_sha256 = job.model_sha256;
  golden.state = state;
  is_changed_ = true;
}

std::vector<std::string> SmokeRun::unowned() const {
  std::vector<std::string> faults;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(suite_.goldens, ignored)) {
    const fs::path& path = entry.path();
    if (path.extension() != ".png" && path.extension() != ".safetensors") continue;
    if (std::ranges::any_of(suite_.cases, [&](const io::SuiteCase& test) { return owns(test, path); })) continue;
    faults.push_back(core::sentence("{} belongs to no case. Remove it, or add the case", path.string()));
  }
  std::ranges::sort(faults);
  return faults;
}

/// Without those whose files are gone.
void SmokeRun::write_records() {
  std::erase_if(records_, [&](const auto& record) {
    std::error_code ignored;
    return !fs::exists(suite_.goldens / record.first, ignored);
  });
  io::write_golden_records(suite_.goldens, records_);
}

}  // namespace

io::SmokeReport run_smoke(const SmokeAsked& asked, const SmokeEvents& events) { return SmokeRun(asked, events).run(); }

}  // namespace lapis::jobs
