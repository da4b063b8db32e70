#include <catch2/catch.hpp>
#include <string>

#include "io/picture/format_readers.hpp"
#include "picture_golden.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

void read_png(const std::string& file) {
  const PictureFacts facts = read_picture_facts(as_bytes(file), "a.png");
  read_pixels(as_bytes(file), facts, "a.png");
}

}  // namespace

TEST_CASE("a PNG of any depth, colour and order of rows is read as Pillow reads it, to the bit") {
  check_golden("png");
}

TEST_CASE("a PNG of 16 bits costs its 8-bit pixels and no more") {
  const std::string file = read_text(data_file("pictures/golden/png_rgba16_interlaced.png"));
  const PictureFacts facts = read_png_facts(as_bytes(file), "a.png");
  CHECK(facts.bits == 16);
  CHECK(facts.memory == std::uint64_t{13} * 9 * 4);
}

TEST_CASE("a PNG's pixel that its palette lacks is refused") {
  const std::string file = read_text(data_file("pictures/golden/png_palette8.png"));
  const std::size_t at = file.find("PLTE");
  REQUIRE(at != std::string::npos);
  // A palette of one colour, black, with its checksum, in place of the file's.
  const auto length = static_cast<std::size_t>(static_cast<unsigned char>(file[at - 2])) << 8U |
                      static_cast<unsigned char>(file[at - 1]);
  const std::string palette{"\0\0\0\x03PLTE\0\0\0\xA7\x7A\x3D\xDA", 15};
  const std::string changed = file.substr(0, at - 4) + palette + file.substr(at + 4 + length + 4);
  check_fails(ErrorKind::input, {"a.png", "palette lacks"}, [&] { read_png(changed); });
}
