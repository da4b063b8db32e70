#include <atomic>
#include <catch2/catch.hpp>
#include <csignal>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "io/file/atomic_file.hpp"
#include "io/file/pending_files.hpp"
#include "support.hpp"

using namespace lapis::io;
using namespace lapis::io::test;
using lapis::ErrorKind;
using Names = std::vector<std::string>;

namespace {

/// Lowers the limit on file sizes for a while.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

}  // namespace

TEST_CASE("a new file is written whole, with the usual rights and nothing beside it") {
  const TemporaryFolder folder;
  const mode_t mask = ::umask(022);
  write_file(folder / "a.png", as_bytes("content"), false);
  ::umask(mask);
  CHECK(read_text(folder / "a.png") == "content");
  CHECK(folder.names() == Names{"a.png"});
  struct stat facts {};
  REQUIRE(::stat((folder / "a.png").c_str(), &facts) == 0);
  CHECK((facts.st_mode & 0777U) == 0644U);
}

TEST_CASE("an empty file and a large one are written") {
  const TemporaryFolder folder;
  write_file(folder / "empty", {}, false);
  CHECK(read_text(folder / "empty").empty());
  const std::string large(3'000'000, 'x');
  write_file(folder / "large", as_bytes(large), false);
  CHECK(read_text(folder / "large") == large);
}

TEST_CASE("a file that is there stays unless it may be overwritten") {
  const TemporaryFolder folder;
  write_text(folder / "a.png", "old");
  check_fails(ErrorKind::output, {"a.png", "exists already", "overwrite"},
              [&] { write_file(folder / "a.png", as_bytes("new"), false); });
  check_fails(ErrorKind::output, {"overwrite"}, [&] { check_writable(folder / "a.png", false); });
  CHECK(read_text(folder / "a.png") == "old");
  CHECK_NOTHROW(check_writable(folder / "a.png", true));
  write_file(folder / "a.png", as_bytes("new"), true);
  CHECK(read_text(folder / "a.png") == "new");
  CHECK(folder.names() == Names{"a.png"});
}

TEST_CASE("of many writers to one name exactly one wins") {
  const TemporaryFolder folder;
  std::atomic<int> won = 0;
  {
    std::vector<std::jthread> writers;
    for (int i = 0; i < 8; ++i) {
      writers.emplace_back([&] {
        if (!error_of([&] { write_file(folder / "a", as_bytes("x"), false); })) ++won;
      });
    }
  }
  CHECK(won == 1);
  CHECK(folder.names() == Names{"a"});
}

TEST_CASE("places that cannot be written to are named in plain words, before and during a write") {
  const TemporaryFolder folder;
  write_text(folder / "file", "x");
  const auto both = [](const std::filesystem::path& path, const std::string& reason) {
    check_fails(ErrorKind::output, {path.string(), reason}, [&] { check_writable(path, true); });
    check_fails(ErrorKind::output, {path.string(), reason}, [&] { write_file(path, as_bytes("x"), true); });
  };
  both(folder / "missing" / "a.png", "folder does not exist");
  both(folder / "file" / "a.png", "a file, not a folder");
  both(folder.path(), "is a folder");
  both(folder / std::string(300, 'n'), "name is too long");
  check_fails(ErrorKind::output, {"no name"}, [] { check_writable("", true); });
  CHECK_NOTHROW(check_writable(folder / "a.png", false));
  CHECK(folder.names() == Names{"file"});
}

TEST_CASE("a full disk is an error that says so") {
  check_fails(ErrorKind::output, {"/dev/full", "no space is left"},
              [] { write_file("/dev/full", as_bytes("x"), false); });
}

TEST_CASE("a device is written to and stays a device") {
  CHECK_NOTHROW(check_writable("/dev/null", false));
  CHECK_NOTHROW(write_file("/dev/null", as_bytes("x"), true));
  struct stat facts {};
  REQUIRE(::stat("/dev/null", &facts) == 0);
  CHECK(S_ISCHR(facts.st_mode));
}

TEST_CASE("a write that fails half way leaves the old file and nothing else") {
  const TemporaryFolder folder;
  write_text(folder / "a", "old");
  const std::string large(1'000'000, 'x');
  {
    const FileSizeLimit limit(4096);
    check_fails(ErrorKind::output, {"ulimit -f"}, [&] { write_file(folder / "a", as_bytes(large), true); });
    check_fails(ErrorKind::output, {"ulimit -f"}, [&] { write_file(folder / "b", as_bytes(large), false); });
    CHECK_NOTHROW(write_file(folder / "c", as_bytes("small"), false));
  }
  CHECK(read_text(folder / "a") == "old");
  CHECK(folder.names() == Names{"a", "c"});
}

TEST_CASE("overwriting through a symbolic link replaces what it leads to") {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "real");
  write_text(folder / "real" / "a", "old");
  std::filesystem::create_symlink("real/a", folder / "link");
  check_fails(ErrorKind::output, {"exists already"}, [&] { write_file(folder / "link", as_bytes("new"), false); });
  write_file(folder / "link", as_bytes("new"), true);
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(read_text(folder / "real" / "a") == "new");

  std::filesystem::create_symlink("nowhere", folder / "dangling");
  check_fails(ErrorKind::output, {"exists already"}, [&] { write_file(folder / "dangling", as_bytes("x"), false); });
  check_fails(ErrorKind::output, {"leads nowhere"}, [&] { write_file(folder / "dangling", as_bytes("x"), true); });
}

TEST_CASE("pending files are removed by the handler and by their owner, kept ones are not") {
  const TemporaryFolder folder;
  for (const char* name : {"interrupted", "failed", "kept"}) write_text(folder / name, "x");
  {
    const PendingFile interrupted(folder / "interrupted");
    remove_pending_files();
    CHECK(folder.names() == Names{"failed", "kept"});
  }
  { const PendingFile failed(folder / "failed"); }
  CHECK(folder.names() == Names{"kept"});
  {
    PendingFile kept(folder / "kept");
    kept.keep();
  }
  remove_pending_files();
  CHECK(folder.names() == Names{"kept"});
}

TEST_CASE("a signal in the middle of a write leaves no temporary file") {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGTERM, [](int) {
      remove_pending_files();
      ::_exit(143);
    });
    const std::string large(4'000'000, 'x');
    ::alarm(20);
    while (true) write_file(folder / "a", as_bytes(large), true);
  }
  while (folder.names().empty()) ::usleep(1000);
  ::kill(child, SIGTERM);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 143);
  for (const std::string& name : folder.names()) CHECK(name == "a");
  if (std::filesystem::exists(folder / "a")) CHECK(read_text(folder / "a").size() == 4'000'000);
}
