#include <array>
#include <catch2/catch.hpp>
#include <string>

#include "jobs/claims.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::jobs;
using namespace lapis::jobs::test;
using io::test::check_fails;

namespace {

struct Claiming {
  ListFile file;
  JobList list{file.asked("{\"prompt\": \"a\"}\n{\"prompt\": \"b\"}\n")};
  BatchJob one = list.next().value();
  BatchJob other = list.next().value();
  Claims claims;

  std::array<std::string, 1> path(const char* name) const { return {(file.folder / name).string()}; }
};

}  // namespace

TEST_CASE("an output has one job, which another is told of by its place, by whatever path") {
  Claiming claiming;
  claiming.claims.write(claiming.one, claiming.path("a.png"), claiming.list);
  CHECK(claiming.claims.writer(claiming.path("x/../a.png").front()) == point_of(claiming.one));
  CHECK_FALSE(claiming.claims.writer(claiming.path("b.png").front()));
  check_fails(ErrorKind::usage, {"a.png, as", "jobs.jsonl, line 1 does"},
              [&] { claiming.claims.write(claiming.other, claiming.path("./a.png"), claiming.list); });
}

TEST_CASE("what a job reads is no output, neither of another nor its own") {
  Claiming claiming;
  claiming.claims.read(claiming.one, claiming.path("a.png"));
  check_fails(ErrorKind::usage, {"a.png, which", "line 1 reads"},
              [&] { claiming.claims.write(claiming.other, claiming.path("a.png"), claiming.list); });
  check_fails(ErrorKind::usage, {"a.png, which it reads"},
              [&] { claiming.claims.write(claiming.one, claiming.path("a.png"), claiming.list); });
}

TEST_CASE("what a batch keeps for itself is no output") {
  Claiming claiming;
  const std::string sheet = claiming.path("s.png").front();
  claiming.claims.reserve(sheet, "the sheet");
  CHECK(claiming.claims.reserved(sheet) == std::string("the sheet"));
  check_fails(ErrorKind::usage, {"which is the sheet"},
              [&] { claiming.claims.write(claiming.one, claiming.path("s.png"), claiming.list); });
}
