#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>

#include "../folder.hpp"
#include "io/file/file_stamp.hpp"
#include "support.hpp"

using namespace lapis::io;
using namespace lapis::io::test;

TEST_CASE("a stamp stays while a file does, and tells of every change") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "a";
  CHECK_FALSE(stamp_of(file));
  write_text(file, "content");
  const auto first = stamp_of(file);
  REQUIRE(first);
  CHECK(stamp_of(file) == first);
  std::filesystem::create_symlink(file, folder / "link");
  CHECK(stamp_of(folder / "link") == first);

  write_text(file, "contents");
  const auto grown = stamp_of(file);
  CHECK(grown != first);
  const auto time = std::filesystem::last_write_time(file);
  std::filesystem::last_write_time(file, time - std::chrono::seconds(1));
  const auto older = stamp_of(file);
  CHECK(older != grown);

  write_text(folder / "b", "contents");
  std::filesystem::last_write_time(folder / "b", time - std::chrono::seconds(1));
  std::filesystem::rename(folder / "b", file);
  CHECK(stamp_of(file) != older);
  CHECK(stamp_of(folder / "link") == stamp_of(file));
  std::filesystem::remove(file);
  CHECK_FALSE(stamp_of(folder / "link"));
}
