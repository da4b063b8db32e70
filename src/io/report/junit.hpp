// JUnit's XML, which CI servers show: as the Jenkins plugins and Maven Surefire read it.
#pragma once

#include <string>
#include <vector>

namespace lapis::io {

/// How a case ended.
enum class JUnitOutcome { passed, failed, error, skipped };

/// One test.
struct JUnitCase {
  std::string name;
  JUnitOutcome outcome = JUnitOutcome::passed;
  std::string message;  ///< of all but a passed one, in a line
  std::string kind;     ///< of a failure or an error, in a word: "hard_fail"
  std::string details;  ///< of a failure or an error, in lines
  std::string output;   ///< what it said
  double seconds = 0;
};

/// Tests that belong together.
struct JUnitSuite {
  std::string name;
  std::vector<JUnitCase> cases;
};

/// The document, in UTF-8. What is no UTF-8 stands as \xNN, and so does what XML 1.0 has no character for.
std::string junit_xml(const std::vector<JUnitSuite>& suites);

}  // namespace lapis::io
