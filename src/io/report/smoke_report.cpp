#include "io/report/smoke_report.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/text/job_limits.hpp"
#include "core/text/names.hpp"
#include "core/text/sentence.hpp"
#include "io/file/json_text.hpp"
#include "io/file/text.hpp"
#include "io/report/json_parts.hpp"
#include "lapis/version.hpp"

namespace lapis::io {
namespace {

using Json = nlohmann::ordered_json;

double milliseconds_kept(double seconds) { return std::round(seconds * 1e3) / 1e3; }

Json golden_json(const SmokeGolden& golden) {
  Json measures;
  if (golden.pair) {
    for (const auto& row : measure_rows(*golden.pair)) measures[row[0]] = row[1];
  }
  return {{"name", golden.name},
          {"state", state_text(golden.state)},
          {"expected", golden.expected},
          {"measures", measures},
          {"actual", text_or_null(golden.kept_actual)},
          {"difference", text_or_null(golden.kept_difference)}};
}

Json case_json(const SmokeCase& test) {
  Json goldens = Json::array();
  for (const SmokeGolden& golden : test.goldens) goldens.push_back(golden_json(golden));
  return {{"name", test.name},
          {"passed", test.passed()},
          {"faults", test.faults},
          {"notes", test.notes},
          {"exit", test.exit},
          {"error", text_or_null(test.error)},
          {"goldens", goldens},
          {"seconds", milliseconds_kept(test.seconds)},
          {"memory", test.memory == 0 ? Json() : Json(test.memory)},
          {"again", test.again},
          {"approve", text_or_null(test.approve)}};
}

JUnitCase junit_case(const SmokeCase& test) {
  JUnitCase made;
  made.name = test.name;
  made.seconds = test.seconds;
  made.output = core::joined(test.notes, "\n");
  if (test.passed()) return made;
  made.outcome = JUnitOutcome::failed;
  made.kind = "smoke";
  made.message = core::joined(test.faults, "; ");
  std::vector<std::string> lines = test.faults;
  for (const SmokeGolden& golden : test.goldens) {
    if (!golden.pair) continue;
    for (const auto& row : measure_rows(*golden.pair)) lines.push_back(core::sentence("{}: {}", row[0], row[1]));
  }
  lines.push_back("again: " + test.again);
  if (!test.approve.empty()) lines.push_back("approve: " + test.approve);
  made.details = core::joined(lines, "\n");
  return made;
}

/// Text in a cell of a table of Markdown, which reads HTML too.
std::string markdown_cell(const std::string& text) {
  std::string cell;
  for (const char c : printable(text, std::string_view::npos)) {
    switch (c) {
      case '|': cell += "\\|"; break;
      case '<': cell += "&lt;"; break;
      case '&': cell += "&amp;"; break;
      default: cell += c;
    }
  }
  return cell;
}

/// Text of a workflow command, as GitHub's toolkit escapes it; of a property with its two more.
std::string annotation_text(const std::string& text, bool property) {
  std::string escaped;
  for (const char c : text) {
    switch (c) {
      case '%': escaped += "%25"; break;
      case '\r': escaped += "%0D"; break;
      case '\n': escaped += "%0A"; break;
      case ':': escaped += property ? "%3A" : ":"; break;
      case ',': escaped += property ? "%2C" : ","; break;
      default: escaped += c;
    }
  }
  return escaped;
}

std::string annotation(const std::string& title, const std::string& text) {
  return core::sentence("::error title={}::{}", annotation_text("smoke test " + title, true),
                        annotation_text(text, false));
}

}  // namespace

std::string state_text(GoldenState state) {
  switch (state) {
    case GoldenState::exact: return "exact";
    case GoldenState::within: return "within the thresholds";
    case GoldenState::differs: return "different";
    case GoldenState::missing: return "missing";
    case GoldenState::added: return "approved";
    case GoldenState::also: return "approved beside what was";
    case GoldenState::replaced: return "replaced";
  }
  return "";
}

std::string changed_golden_text(const ComparedPair& pair) {
  std::string text = core::plain(breach_text(pair));
  if (pair.changed) text += core::sentence("; {}", changed_text(*pair.changed));
  return text;
}

std::size_t SmokeReport::failed() const {
  return static_cast<std::size_t>(std::ranges::count_if(cases, [](const SmokeCase& test) { return !test.passed(); }));
}

std::string counts_text(const SmokeReport& report) {
  std::string text = core::sentence("{}: {} passed", core::count_text(report.cases.size(), "case"),
                                    report.cases.size() - report.failed());
  if (report.failed() > 0) text += core::sentence(", {} failed", report.failed());
  if (!report.faults.empty())
    text += core::sentence(", {} of the suite", core::count_text(report.faults.size(), "fault"));
  return text + core::sentence(", in {:.1f} s", report.seconds);
}

std::string smoke_json(const SmokeReport& report) {
  Json cases = Json::array();
  for (const SmokeCase& test : report.cases) cases.push_back(case_json(test));
  return json_text({{"version", version},
                    {"suite", report.suite},
                    {"passed", report.passed()},
                    {"counts", {{"passed", report.cases.size() - report.failed()}, {"failed", report.failed()}}},
                    {"machine", report.machine},
                    {"faults", report.faults},
                    {"notes", report.notes},
                    {"cases", cases},
                    {"seconds", milliseconds_kept(report.seconds)}});
}

JUnitSuite smoke_junit(const SmokeReport& report) {
  JUnitSuite suite{"lapis.smoke", {}};
  for (const SmokeCase& test : report.cases) suite.cases.push_back(junit_case(test));
  for (const std::string& fault : report.faults) {
    suite.cases.push_back({"suite", JUnitOutcome::failed, fault, "suite", fault, "", 0});
  }
  return suite;
}

std::string smoke_markdown(const SmokeReport& report) {
  std::string text = core::sentence("### Smoke test {}\n\n", report.passed() ? "passed" : "failed");
  text += core::sentence("{}. {}\n", markdown_cell(report.suite), counts_text(report));
  for (const std::string& fault : report.faults) text += core::sentence("\n- {}\n", markdown_cell(fault));
  if (report.failed() == 0) return text;
  text += "\n| case | what failed | run it again |\n|---|---|---|\n";
  for (const SmokeCase& test : report.cases) {
    if (test.passed()) continue;
    text += core::sentence("| {} | {} | `{}` |\n", test.name, markdown_cell(core::joined(test.faults, "; ")),
                           markdown_cell(test.again));
  }
  return text;
}

std::vector<std::string> smoke_annotations(const SmokeReport& report) {
  std::vector<std::string> lines;
  for (const SmokeCase& test : report.cases) {
    if (!test.passed()) lines.push_back(annotation(test.name, core::joined(test.faults, "\n")));
  }
  for (const std::string& fault : report.faults) lines.push_back(annotation("suite", fault));
  return lines;
}

}  // namespace lapis::io
