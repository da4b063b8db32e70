#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/file/temporaries.hpp"
#include "support.hpp"

using namespace lapis::io;
using namespace lapis::io::test;

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

namespace {

/// The name that a process gave which is over.
std::string name_of_the_dead(const fs::path& folder, Leftover leftover = Leftover::remove) {
  // A child has another number and, this being a fork, the name it makes is sent through a pipe.
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    const std::string name = temporary_in(folder, leftover).filename();
    ::_exit(::write(ends[1], name.data(), name.size()) > 0 ? 0 : 1);
  }
  std::string name(200, '\0');
  const ssize_t size = ::read(ends[0], name.data(), name.size());
  ::waitpid(child, nullptr, 0);
  for (const int end : ends) ::close(end);
  name.resize(static_cast<std::size_t>(size));
  return name;
}

}  // namespace

TEST_CASE("names of temporaries are their own, hidden, and known as such") {
  const TemporaryFolder folder;
  const fs::path one = temporary_in(folder.path());
  CHECK(one != temporary_in(folder.path()));
  CHECK(one.parent_path() == folder.path());
  CHECK(one.filename().string().starts_with(".lapis-"));
  CHECK(is_temporary(one));
  CHECK(is_temporary(temporary_in(folder.path(), Leftover::put_back)));
  for (const char* name : {".lapis-.tmp", ".lapis-1-2-3.tmp", ".lapis-1-2-3-4-5.tmp", ".lapis-1-2-3-4.txt",
                           ".lapis-1-2-x-4.tmp", "lapis-1-2-3-4.tmp", ".lapis-1-2-3-4.tmp~"}) {
    CAPTURE(name);
    CHECK_FALSE(is_temporary(folder / name));
  }
}

TEST_CASE("what the dead left goes, what the living hold and what is no temporary stays") {
  const TemporaryFolder folder;
  const std::string file = name_of_the_dead(folder.path());
  const std::string tree = name_of_the_dead(folder.path());
  const std::string held = name_of_the_dead(folder.path());
  const std::string own = temporary_in(folder.path()).filename();
  write_text(folder / file, "x");
  write_text(folder / tree / "inside", "x");
  for (const std::string& name : {held, own, std::string(".lapis-notes.tmp"), std::string("a.png")}) {
    write_text(folder / name, "x");
  }
  fs::create_symlink(folder / "a.png", folder / name_of_the_dead(folder.path()));
  const FileDescriptor living(::open((folder / held).c_str(), O_RDONLY | O_CLOEXEC));
  mark_living(living);
  const std::size_t before = folder.names().size();
  clear_dead_temporaries(folder.path());
  CHECK(folder.names().size() == before - 2);
  for (const std::string& name : {held, own, std::string(".lapis-notes.tmp"), std::string("a.png")}) {
    CHECK(fs::exists(folder / name));
  }
}

TEST_CASE("those of another boot go after a day") {
  const TemporaryFolder folder;
  const fs::path young = folder / ".lapis-1234-7fffffff-1-1.tmp";
  const fs::path old = folder / ".lapis-1234-7fffffff-1-2.tmp";
  for (const fs::path& path : {young, old}) write_text(path, "x");
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::hours(25));
  clear_dead_temporaries(folder.path());
  CHECK(fs::exists(young));
  CHECK_FALSE(fs::exists(old));
}

TEST_CASE("what was put aside goes back where nothing has its name") {
  const TemporaryFolder folder;
  for (const char* name : {"lost", "there"}) {
    write_text(folder / name_of_the_dead(folder.path(), Leftover::put_back) / name / "model.json", "old");
  }
  write_text(folder / "there" / "model.json", "new");
  clear_dead_temporaries(folder.path());
  CHECK(folder.names() == Names{"lost", "there"});
  CHECK(read_text(folder / "lost" / "model.json") == "old");
  CHECK(read_text(folder / "there" / "model.json") == "new");
}
