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
