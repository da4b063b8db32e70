#include <catch2/catch.hpp>
#include <string>

#include "io/picture/format_readers.hpp"
#include "picture_golden.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

std::string golden_gif(const std::string& name) { return read_text(data_file("pictures/golden/gif_" + name)); }

void read_gif(const std::string& file) {
  const PictureFacts facts = read_picture_facts(as_bytes(file), "a.gif");
  read_pixels(as_bytes(file), facts, "a.gif");
}

/// A GIF of 2 x 2 pixels and two colours, whose data are these.
std::string gif_of(const std::string& data, const std::string& screen = std::string("\2\0\2\0", 4)) {
  return "GIF89a" + screen + std::string("\x80\0\0\1\2\3\4\5\6,\0\0\0\0\2\0\2\0\0\2", 20) +
         static_cast<char>(data.size()) + data + std::string("\0;", 2);
}

}  // namespace

TEST_CASE("a GIF's first frame is read as Pillow reads it, to the bit") { check_golden("gif"); }

TEST_CASE("a small GIF that claims a huge screen is refused from its header") {
  check_fails(ErrorKind::input, {"65535 x 65535", "at most 600 MB"},
              [] { read_gif(gif_of("\x84\x51", "\xFF\xFF\xFF\xFF")); });
  CHECK_FALSE(error_of([] { read_gif(gif_of("\x04\x40\x01")); }));
}

TEST_CASE("a GIF whose codes are not its pixels is refused") {
  check_fails(ErrorKind::input, {"a.gif", "end early"}, [] { read_gif(gif_of("\x04")); });    // two pixels
  check_fails(ErrorKind::input, {"a.gif", "end early"}, [] { read_gif(gif_of("\x2C")); });    // clear, then end
  check_fails(ErrorKind::input, {"not made yet"}, [] { read_gif(gif_of("\x3C\x40\x01")); });  // clear, then code 7
  check_fails(ErrorKind::input, {"palette lacks"}, [] { read_gif(gif_of("\x94\x24")); });     // clear, then colour 2
}

TEST_CASE("no changed byte of a GIF is more than another picture or a refusal") {
  for (const char* name : {"palette4.gif", "part_hole.gif", "moving.gif"}) {
    const std::string whole = golden_gif(name);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ 0x55);
      const std::optional<Error> error = error_of([&] { read_gif(changed); });
      if (error) CHECK(error->kind() == ErrorKind::input);
    }
  }
}
