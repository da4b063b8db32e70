// What `smoke` says: in JSON, to CI servers, as a page and in Markdown. docs/smoke.md describes each.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/report/compare_report.hpp"
#include "io/report/junit.hpp"
#include "lapis/image.hpp"

namespace lapis::io {

/// What became of one output that was held against what was approved.
enum class GoldenState {
  exact,   ///< every value, or a digest that was approved
  within,  ///< the thresholds
  differs,
  missing,   ///< nothing was approved
  added,     ///< approved now, where nothing was
  also,      ///< approved now beside what was
  replaced,  ///< approved now in its place
};

std::string state_text(GoldenState state);

/// An output and what was approved.
struct SmokeGolden {
  std::string name;  ///< of both files
  GoldenState state = GoldenState::missing;
  std::string expected;              ///< path
  std::optional<ComparedPair> pair;  ///< a: approved, b: made now
  std::string kept_actual;           ///< paths of what was kept of a failure; empty: nothing
  std::string kept_expected;
  std::string kept_difference;
  std::optional<Image> expected_picture;  ///< of a failure, for the page
  std::optional<Image> actual_picture;
};

/// What changes where a golden is replaced, in a line.
std::string changed_golden_text(const ComparedPair& pair);

/// A case, done.
struct SmokeCase {
  std::string name;
  std::vector<std::string> faults;  ///< none: it passed
  std::vector<std::string> notes;
  std::vector<SmokeGolden> goldens;
  int exit = 0;       ///< that the command alone would have had
  std::string error;  ///< of a job that was refused or failed
  double seconds = 0;
  std::uint64_t memory = 0;  ///< bytes, at most, of the program; 0 where the system does not say
  std::string again;         ///< the line that runs it
  std::string approve;       ///< the line that approves what it makes; empty where that would not help

  bool passed() const { return faults.empty(); }
};

/// A suite, done.
struct SmokeReport {
  std::string suite;
  std::string machine;  ///< `cpu_class`
  std::vector<SmokeCase> cases;
  std::vector<std::string> faults;  ///< of the suite: pictures that no case owns
  double seconds = 0;
  std::vector<std::string> notes = {};

  std::size_t failed() const;
  bool passed() const { return failed() == 0 && faults.empty(); }
};

/// The document, on one line.
std::string smoke_json(const SmokeReport& report);

/// Each case as a test, and each fault of the suite.
JUnitSuite smoke_junit(const SmokeReport& report);

/// A summary for GitHub and GitLab: counts, and a table of what failed.
std::string smoke_markdown(const SmokeReport& report);

/// Lines that GitHub shows beside the run: "::error title=...::...".
std::vector<std::string> smoke_annotations(const SmokeReport& report);

/// One HTML document in UTF-8 that needs nothing beside it, failures first: pictures lie in it as PNGs.
std::string smoke_page(const SmokeReport& report);

/// "9 cases: 8 passed, 1 failed".
std::string counts_text(const SmokeReport& report);

}  // namespace lapis::io
