#include <array>
#include <catch2/catch.hpp>
#include <set>

#include "lapis/error.hpp"

using namespace lapis;

TEST_CASE("every kind of error has an exit code of its own") {
  const std::array<ErrorKind, 8> kinds = {ErrorKind::usage,  ErrorKind::input,   ErrorKind::incompatible,
                                          ErrorKind::model,  ErrorKind::device,  ErrorKind::numeric,
                                          ErrorKind::output, ErrorKind::internal};
  std::set<int> codes;
  for (const ErrorKind kind : kinds) CHECK(codes.insert(exit_code(kind)).second);
  CHECK(codes == std::set<int>{2, 3, 4, 5, 6, 7, 8, 70});
}

TEST_CASE("an error's two lines come apart again, whatever stands in them") {
  const std::string nul("a\0b", 3);
  for (const std::string& problem : {std::string("a.png is damaged."), std::string("two\nlines"), nul, std::string()}) {
    for (const std::string& advice : {std::string(), std::string("Give another."), std::string("two\nlines\n")}) {
      const Error error(ErrorKind::input, problem, advice);
      const Error copy = error;
      CHECK(copy.problem() == problem);
      CHECK(copy.advice() == advice);
    }
  }
  CHECK(std::string(Error(ErrorKind::input, "a", "b").what()) == "a\nb");
  CHECK(std::string(Error(ErrorKind::input, "a").what()) == "a");
}
