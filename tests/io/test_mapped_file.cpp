#include <array>
#include <catch2/catch.hpp>
#include <memory>
#include <utility>

#include "io/file/mapped_file.hpp"
#include "support.hpp"

using namespace lapis::io;
using namespace lapis::io::test;
using lapis::ErrorKind;

TEST_CASE("a mapped file shows the file's bytes") {
  const TemporaryFolder folder;
  write_text(folder / "a.bin", "some bytes");
  const MappedFile file(folder / "a.bin", ErrorKind::input);
  CHECK(as_text(file.bytes()) == "some bytes");
}

TEST_CASE("a regular file is a file, and nothing else is") {
  TemporaryFolder folder;
  write_text(folder / "a", "");
  std::filesystem::create_symlink("a", folder / "link");
  CHECK(is_file(folder / "a"));
  CHECK(is_file(folder / "link"));
  CHECK_FALSE(is_file(folder.path()));
  CHECK_FALSE(is_file(folder / "b"));
  CHECK_FALSE(is_file(folder / "a" / "b"));
}

TEST_CASE("an empty file maps to no bytes") {
  const TemporaryFolder folder;
  write_text(folder / "empty", "");
  CHECK(MappedFile(folder / "empty", ErrorKind::input).bytes().empty());
}

TEST_CASE("moving a mapped file keeps the address and empties the source") {
  const TemporaryFolder folder;
  write_text(folder / "a.bin", "abc");
  write_text(folder / "b.bin", "other");
  MappedFile first(folder / "a.bin", ErrorKind::input);
  const std::byte* address = first.bytes().data();
  MappedFile second = std::move(first);
  CHECK(second.bytes().data() == address);
  MappedFile third(folder / "b.bin", ErrorKind::input);
  third = std::move(second);
  CHECK(as_text(third.bytes()) == "abc");
}

TEST_CASE("a file that cannot be mapped fails with the caller's kind") {
  const TemporaryFolder folder;
  check_fails(ErrorKind::model, {"missing.bin", "does not exist"},
              [&] { MappedFile(folder / "missing.bin", ErrorKind::model); });
  check_fails(ErrorKind::input, {"is a folder"}, [&] { MappedFile(folder.path(), ErrorKind::input); });
  check_fails(ErrorKind::input, {"/dev/null", "device"}, [] { MappedFile("/dev/null", ErrorKind::input); });
}

TEST_CASE("the path of a mapping is found by any address in it") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "a name\twith (all) kinds";
  write_text(path, std::string(10'000, 'x'));
  const MappedFile file(path, ErrorKind::input);
  std::array<char, 4096> buffer{};
  const std::string shown = (folder / "a name?with (all) kinds").string();
  CHECK(mapped_path(file.bytes().data(), buffer) == shown);
  CHECK(mapped_path(&file.bytes().back(), buffer) == shown);
  CHECK(mapped_path(file.bytes().data(), std::span(buffer).first(5)) == shown.substr(0, 5));
  const auto own = std::make_unique<int>(0);
  CHECK(mapped_path(own.get(), buffer).empty());
  CHECK(mapped_path(nullptr, buffer).empty());
}
