#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "jobs/smoke.hpp"
#include "lapis/error.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::jobs;
using io::test::check_fails;

namespace {

/// A folder with a suite of jobs that are refused before an engine is needed.
struct SuiteFile {
  io::test::TemporaryFolder folder;

  SmokeAsked asked(const std::string& cases) const {
    std::ofstream(folder / "suite.json") << "{\"cases\": [" << cases << "]}";
    SmokeAsked made;
    made.suite = folder / "suite.json";
    made.kept = folder / "kept";
    made.again = [](const std::string& name) { return "again " + name; };
    made.approve = made.again;
    return made;
  }
};

constexpr const char* refused = R"({"name": "a", "job": {"prompt": "x", "steps": 0}, "refused": "usage"})";

}  // namespace

TEST_CASE("a case that is refused as it must be passes, else it tells what it ended with") {
  const SuiteFile suite;
  CHECK(run_smoke(suite.asked(refused), {}).passed());
  const auto report =
      run_smoke(suite.asked(R"({"name": "a", "job": {"prompt": "x", "steps": 0}, "refused": "input file"})"), {});
  REQUIRE(report.failed() == 1);
  CHECK(report.cases[0].exit == 2);
  CHECK(report.cases[0].faults[0].find("exit code 2 (steps is 0") != std::string::npos);
  CHECK(report.cases[0].again == "again a");
}

TEST_CASE("a golden that no case owns is a fault of the suite") {
  const SuiteFile suite;
  std::filesystem::create_directory(suite.folder / "goldens");
  std::ofstream(suite.folder / "goldens" / "b.png") << "x";
  std::ofstream(suite.folder / "goldens" / "README.md") << "x";
  const auto report = run_smoke(suite.asked(refused), {});
  REQUIRE(report.faults.size() == 1);
  CHECK(report.faults[0].find("b.png belongs to no case") != std::string::npos);
  CHECK(!report.passed());
}

TEST_CASE("a case that cannot be approved, because there is none, is refused with the nearest") {
  const SuiteFile suite;
  SmokeAsked asked = suite.asked(R"({"name": "house", "job": {"prompt": "x", "steps": 0}, "exit": 2})");
  asked.update = true;
  asked.updated = {"hose"};
  check_fails(ErrorKind::usage, {"hose", "house"}, [&] { run_smoke(asked, {}); });
}

TEST_CASE("a stop ends a suite between cases") {
  const SuiteFile suite;
  SmokeEvents events;
  events.stop = [] { return true; };
  CHECK(run_smoke(suite.asked(refused), events).cases.empty());
}
