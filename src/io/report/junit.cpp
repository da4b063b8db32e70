#include "io/report/junit.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "core/text/sentence.hpp"
#include "io/file/text.hpp"

namespace lapis::io {
namespace {

/// One character of `text`, which is UTF-8, as XML has it; `size` is that of its bytes.
std::string xml_character(std::string_view character) {
  const auto byte = static_cast<unsigned char>(character.front());
  switch (byte) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\n':
    case '\t':
    case '\r': return core::sentence("&#{};", static_cast<int>(byte));
    default: break;
  }
  if (byte < 0x20) return core::sentence("\\x{:02x}", static_cast<int>(byte));
  const bool is_no_character = character == "\xEF\xBF\xBE" || character == "\xEF\xBF\xBF";
  return is_no_character ? "?" : std::string(character);
}

std::string xml(std::string_view text) {
  const std::string utf8 = utf8_text(text);
  std::string result;
  for (std::size_t at = 0; at < utf8.size();) {
    std::size_t end = at + 1;
    while (end < utf8.size() && (static_cast<unsigned char>(utf8[end]) & 0xC0U) == 0x80U) ++end;
    result += xml_character(std::string_view(utf8).substr(at, end - at));
    at = end;
  }
  return result;
}

/// Text between tags, whose line breaks stay.
std::string xml_lines(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    result += (at == 0 ? "" : "\n") + xml(text.substr(at, end - at));
    at = end + 1;
  }
  return result;
}

std::string seconds_text(double seconds) { return core::sentence("{:.3f}", seconds); }

std::string outcome_xml(const JUnitCase& test) {
  switch (test.outcome) {
    case JUnitOutcome::passed: return "";
    case JUnitOutcome::skipped: return core::sentence("      <skipped message=\"{}\"/>\n", xml(test.message));
    case JUnitOutcome::failed:
    case JUnitOutcome::error: break;
  }
  const char* tag = test.outcome == JUnitOutcome::failed ? "failure" : "error";
  return core::sentence("      <{} message=\"{}\" type=\"{}\">{}</{}>\n", tag, xml(test.message), xml(test.kind),
                        xml_lines(test.details), tag);
}

std::string case_xml(const JUnitCase& test, const std::string& suite) {
  std::string inside = outcome_xml(test);
  if (!test.output.empty()) inside += core::sentence("      <system-out>{}</system-out>\n", xml_lines(test.output));
  const std::string begin = core::sentence("    <testcase name=\"{}\" classname=\"{}\" time=\"{}\"", xml(test.name),
                                           xml(suite), seconds_text(test.seconds));
  return inside.empty() ? begin + "/>\n" : begin + ">\n" + inside + "    </testcase>\n";
}

/// Counts of cases, and their seconds.
struct Sums {
  std::size_t tests = 0;
  std::size_t failures = 0;
  std::size_t errors = 0;
  std::size_t skipped = 0;
  double seconds = 0;

  void add(const JUnitSuite& suite) {
    for (const JUnitCase& test : suite.cases) {
      ++tests;
      failures += test.outcome == JUnitOutcome::failed;
      errors += test.outcome == JUnitOutcome::error;
      skipped += test.outcome == JUnitOutcome::skipped;
      seconds += test.seconds;
    }
  }
};

std::string suite_xml(const JUnitSuite& suite) {
  Sums sums;
  sums.add(suite);
  std::string text = core::sentence(
      "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{}\">\n",
      xml(suite.name), sums.tests, sums.failures, sums.errors, sums.skipped, seconds_text(sums.seconds));
  for (const JUnitCase& test : suite.cases) text += case_xml(test, suite.name);
  return text + "  </testsuite>\n";
}

}  // namespace

std::string junit_xml(const std::vector<JUnitSuite>& suites) {
  Sums sums;
  for (const JUnitSuite& suite : suites) sums.add(suite);
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" +
                     core::sentence("<testsuites tests=\"{}\" failures=\"{}\" errors=\"{}\" time=\"{}\">\n", sums.tests,
                                    sums.failures, sums.errors, seconds_text(sums.seconds));
  for (const JUnitSuite& suite : suites) text += suite_xml(suite);
  return text + "</testsuites>\n";
}

}  // namespace lapis::io
