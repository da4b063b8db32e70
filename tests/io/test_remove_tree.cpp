#include <catch2/catch.hpp>
#include <cerrno>
#include <filesystem>
#include <string>

#include "io/file/remove_tree.hpp"
#include "support.hpp"

using namespace lapis::io;
using namespace lapis::io::test;

namespace fs = std::filesystem;

TEST_CASE("a tree goes with all that is in it, and nothing that its links lead to") {
  const TemporaryFolder folder;
  write_text(folder / "outside" / "kept", "x");
  fs::create_directories(folder / "tree" / "empty");
  for (int i = 0; i < 300; ++i)
    write_text(folder / "tree" / "a" / "b" / ("a-rather-long-name-" + std::to_string(i)), "x");
  fs::create_directory_symlink(folder / "outside", folder / "tree" / "link");
  fs::permissions(folder / "tree" / "a" / "b", fs::perms::owner_read | fs::perms::owner_exec);
  errno = 7;
  CHECK(remove_tree((folder / "tree").c_str()));
  CHECK(errno == 7);
  CHECK(folder.names() == std::vector<std::string>{"outside"});
  CHECK(read_text(folder / "outside" / "kept") == "x");
}

TEST_CASE("a file and a link are removed, and what is not there is gone already") {
  const TemporaryFolder folder;
  write_text(folder / "file", "x");
  fs::create_symlink("file", folder / "link");
  CHECK(remove_tree((folder / "link").c_str()));
  CHECK(folder.names() == std::vector<std::string>{"file"});
  CHECK(remove_tree((folder / "file").c_str()));
  CHECK(remove_tree((folder / "file").c_str()));
  CHECK(folder.names().empty());
}

TEST_CASE("what cannot be removed is told") { CHECK_FALSE(remove_tree("/proc/self")); }
