#include <catch2/catch.hpp>

#include "core/job/job_fields.hpp"
#include "core/text/names.hpp"
#include "lapis/error.hpp"

using namespace lapis;
using namespace lapis::core;

namespace {

std::string flags(std::string_view text) {
  return spelled(text, [](NameKind kind, std::string_view word) {
    const std::string lead = kind == NameKind::field ? "--" : kind == NameKind::letter ? "-" : "lapis ";
    return lead + std::string(word);
  });
}

}  // namespace

TEST_CASE("names in braces are marked, and nothing else is") {
  const std::string text = marked("{steps} is 0; {lapis inspect} FILE {-model} MODEL shows {\"a\": 1}, {} and {Size}");
  CHECK(plain(text) == "steps is 0; inspect FILE model MODEL shows {\"a\": 1}, {} and {Size}");
  CHECK(flags(text) == "--steps is 0; lapis inspect FILE -model MODEL shows {\"a\": 1}, {} and {Size}");
  CHECK(fields_in(text) == std::vector<std::string>{"steps", "model"});
  CHECK(marked("{steps}") == field_name("steps"));
  CHECK(marked("nothing") == "nothing");
  CHECK(marked("") == "");
}

TEST_CASE("what a stranger's text has between two marks stays, unless it is a name") {
  for (const std::string& text : {std::string("\x0e"), std::string("\x0f"), std::string("a\x0e b\x0f"),
                                  std::string("\x0e\x0f"), std::string("\x0eSteps\x0f"), std::string("\x0e-\x0f"),
                                  std::string("\x0elapis \x0f"), std::string("\x0e../steps\x0f")}) {
    CHECK(plain(text) == text);
    CHECK(flags(text) == text);
    CHECK(fields_in(text).empty());
  }
  CHECK(flags("\x0e" + field_name("steps")) == "\x0e--steps");
}

TEST_CASE("an error names fields by their keys, and hands the marks on") {
  const Error error(ErrorKind::usage, marked("{steps} is 0"),
                    marked("Leave {steps} out; {lapis list} shows {sampler}"));
  CHECK(std::string(error.what()) == "steps is 0\nLeave steps out; list shows sampler");
  CHECK(error.problem() == "steps is 0");
  CHECK(error.advice() == "Leave steps out; list shows sampler");
  CHECK(error.fields() == std::vector<std::string>{"steps", "sampler"});
  const Error again(error.kind(), "a.json: " + error.marked_problem(), error.marked_advice());
  CHECK(flags(again.marked_problem()) == "a.json: --steps is 0");
}

TEST_CASE("every key of a job can be marked") {
  for (const JobField& field : job_fields()) {
    CHECK(marked("{" + std::string(field.key) + "}") == field_name(field.key));
    CHECK(plain(field_name(field.key)) == field.key);
  }
}
