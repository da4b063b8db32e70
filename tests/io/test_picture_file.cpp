#include <catch2/catch.hpp>
#include <filesystem>
#include <sys/stat.h>
#include <thread>

#include "io/picture/picture_reader.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

TEST_CASE("a picture's bytes come from a file or from a pipe with a path") {
  const std::string whole = read_text(data_file("pictures/smooth.jpg"));
  CHECK(as_text(read_picture_file(data_file("pictures/smooth.jpg"))) == whole);
  TemporaryFolder folder;
  const std::filesystem::path pipe = folder / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::thread writer([&] { std::ofstream(pipe, std::ios::binary) << whole; });
  CHECK(as_text(read_picture_file(pipe)) == whole);
  writer.join();
}

TEST_CASE("what is no picture ends before all of it is read") {
  CHECK(read_picture_file("/dev/zero").size() < 1'000'000);
  TemporaryFolder folder;
  write_text(folder / "a.png", "");
  check_fails(ErrorKind::input, {"a.png", "empty"}, [&] { read_picture_file(folder / "a.png"); });
  check_fails(ErrorKind::input, {"folder"}, [&] { read_picture_file(folder.path()); });
  check_fails(ErrorKind::input, {"does not exist"}, [&] { read_picture_file(folder / "b.png"); });
  std::filesystem::resize_file(folder / "a.png", largest_picture_file + 1);
  check_fails(ErrorKind::input, {"a.png", "400 MB"}, [&] { read_picture_file(folder / "a.png"); });
}
