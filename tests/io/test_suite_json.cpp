#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "io/report/suite_json.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;

namespace {

Suite read_text(const std::string& text) {
  const io::test::TemporaryFolder folder;
  std::ofstream(folder / "suite.json") << text;
  return read_suite(folder / "suite.json");
}

Suite read_case(const std::string& members) {
  return read_text(R"({"job": {"seed": 7, "model": "tiny-sd15"}, "cases": [{"name": "a", )" + members + "}]}");
}

void refuses(const std::string& members, std::initializer_list<std::string> words) {
  INFO(members);
  io::test::check_fails(ErrorKind::input, words, [&] { read_case(members); });
}

}  // namespace

TEST_CASE("a case has a job, with what the suite says for all, and what it must come to") {
  const Suite suite = read_case(
      R"("job": {"prompt": "a lake", "seed": 8}, "tolerance": {"fail": 2}, "time": {"case": "a", "at_most": 1.5},
         "memory": "2GB")");
  REQUIRE(suite.cases.size() == 1);
  const SuiteCase& test = suite.cases.front();
  CHECK(test.job.job.seed == 8);
  CHECK(test.job.job.model == "tiny-sd15");
  CHECK(test.golden);
  CHECK(test.tolerance == core::AskedTolerance{{"fail", 2}});
  CHECK(test.time->at_most == 1.5);
  CHECK(test.memory == 2'000'000'000);
  CHECK(suite.other_machine == core::AskedTolerance{{"fail_percent", 2}, {"hard_fail", 2}});
  CHECK(suite.goldens.filename() == "goldens");
}

TEST_CASE("a refused case has the exit code of its kind, and no golden") {
  const Suite suite = read_case(R"("job": {"prompt": "a lake", "steps": 0}, "refused": "usage")");
  CHECK(suite.cases.front().exit == 2);
  CHECK(!suite.cases.front().golden);
  CHECK(read_case(R"("job": {"prompt": ""}, "exit": 4)").cases.front().exit == 4);
}

TEST_CASE("what the command does not take of the shared fields is left out") {
  CHECK(!read_case(R"("job": {"command": "decode", "latent": "a.safetensors"})").cases.front().job.job.seed);
}

TEST_CASE("suites that are none are refused with the place") {
  refuses(R"("job": {"prompt": "x", "output": "a.png"})", {"cases[0].job", "\"output\""});
  refuses(R"("job": {"prompt": "x", "latent": "a.latent"})", {"\"latent\""});
  refuses(R"("job": {"prompt": "x", "stepz": 3})", {"case a", "stepz", "steps"});
  refuses(R"("job": {"prompt": "x"}, "golde": true)", {"golde", "golden"});
  refuses(R"("job": {"prompt": "x"}, "tolerance": {"fial": 1})", {"tolerance", "fial"});
  refuses(R"("job": {"prompt": "x"}, "tolerance": {"fail": -1})", {"tolerance.fail"});
  refuses(R"("job": {"prompt": "x"}, "refused": "usages")", {"refused", "usage"});
  refuses(R"("job": {"prompt": "x"}, "refused": "usage", "exit": 3)", {"exit 3", "exit 2"});
  refuses(R"("job": {"prompt": "x"}, "refused": "usage", "golden": true)", {"golden"});
  refuses(R"("job": {"prompt": "x"}, "memory": "much")", {"memory", "much"});
  refuses(R"("job": 3)", {"job"});
  const auto refuses_text = [](const std::string& text, std::initializer_list<std::string> words) {
    INFO(text);
    io::test::check_fails(ErrorKind::input, words, [&] { read_text(text); });
  };
  refuses_text("{", {"suite.json"});
  refuses_text(R"({"cases": []})", {"no case"});
  refuses_text(R"({"cases": [{"name": "../a", "job": {}}]})", {"cases[0].name", "letters"});
  refuses_text(R"({"cases": [{"name": "a", "job": {}}, {"name": "a", "job": {}}]})", {"cases[1].name", "case before"});
  refuses_text(R"({"goldens": "/tmp", "cases": [{"name": "a", "job": {}}]})", {"goldens", "/tmp"});
  refuses_text(R"({"goldens": "../g", "cases": [{"name": "a", "job": {}}]})", {"goldens", "../g"});
}

TEST_CASE("the suite to begin with is one") {
  const Suite suite = read_text(first_suite("tiny-sd15"));
  CHECK(suite.cases.size() == 5);
  CHECK(suite.cases.front().job.job.model == "tiny-sd15");
}

TEST_CASE("names lead out where they are absolute or climb") {
  CHECK(leads_out("/a"));
  CHECK(leads_out("../a"));
  CHECK(leads_out("a/../../b"));
  CHECK(!leads_out("a/../b"));
  CHECK(!leads_out("..a"));
  CHECK(!leads_out(""));
}
