#include <catch2/catch.hpp>
#include <string>

#include "io/report/junit.hpp"

using namespace lapis::io;

TEST_CASE("a report has each case with how it ended, and counts of them") {
  const std::string xml =
      junit_xml({{"first",
                  {{"one", JUnitOutcome::passed, "", "", "", "", 0.5},
                   {"two", JUnitOutcome::failed, "too far", "hard_fail", "a: 1\nb: 2", "said", 1.25},
                   {"three", JUnitOutcome::error, "no file", "error", "", "", 0},
                   {"four", JUnitOutcome::skipped, "no GPU", "", "", "", 0}}},
                 {"second", {}}});
  CHECK(xml ==
        R"(<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="4" failures="1" errors="1" time="1.750">
  <testsuite name="first" tests="4" failures="1" errors="1" skipped="1" time="1.750">
    <testcase name="one" classname="first" time="0.500"/>
    <testcase name="two" classname="first" time="1.250">
      <failure message="too far" type="hard_fail">a: 1
b: 2</failure>
      <system-out>said</system-out>
    </testcase>
    <testcase name="three" classname="first" time="0.000">
      <error message="no file" type="error"></error>
    </testcase>
    <testcase name="four" classname="first" time="0.000">
      <skipped message="no GPU"/>
    </testcase>
  </testsuite>
  <testsuite name="second" tests="0" failures="0" errors="0" skipped="0" time="0.000">
  </testsuite>
</testsuites>
)");
}

TEST_CASE("names of strangers stay names") {
  const auto name = [](const std::string& text) {
    const std::string xml = junit_xml({{"s", {{text, JUnitOutcome::passed, "", "", "", "", 0}}}});
    const std::size_t begin = xml.find("testcase name=\"") + 15;
    return xml.substr(begin, xml.find("\" classname") - begin);
  };
  CHECK(name("a & <b> \"c\"") == "a &amp; &lt;b&gt; &quot;c&quot;");
  CHECK(name("tab\tline\n") == "tab&#9;line&#10;");
  CHECK(name(std::string("\x1b[1m\0", 5)) == "\\x1b[1m\\x00");
  CHECK(name("\xff") == "\\xff");
  CHECK(name("猫\xEF\xBF\xBE") == "猫?");
}
