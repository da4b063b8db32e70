#include <catch2/catch.hpp>
#include <string>

#include "io/picture/format_readers.hpp"
#include "picture_golden.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

core::Pixels read_pnm(const std::string& file) {
  const PictureFacts facts = read_picture_facts(as_bytes(file), "a.pnm");
  return read_pixels(as_bytes(file), facts, "a.pnm");
}

}  // namespace

TEST_CASE("netpbm files of every kind and largest value are read as Pillow reads them, to the bit") {
  check_golden("pnm");
  check_golden("pam");
}

TEST_CASE("a comment may stand before the blank that ends a header") {
  CHECK(read_pnm("P5 2 1 255#x\n\n!").bytes == std::vector<std::uint8_t>{'\n', '!'});
  CHECK(read_pnm("P5 2 1 255\n#!").bytes == std::vector<std::uint8_t>{'#', '!'});
}

TEST_CASE("a netpbm file that cannot hold its samples is refused before there is room for them") {
  for (const char* file : {"P1 9000 9000 0 1", "P2 9000 9000 255 0 0", "P3 14000 14000 255\n0 0 0 ", "P4 9000 9000 abc",
                           "P5 14000 14000 255 abc", "P6 9000 9000 65535 abc",
                           "P7\nWIDTH 9000\nHEIGHT 9000\nDEPTH 4\nMAXVAL 255\nENDHDR\nabc"}) {
    INFO(file);
    check_fails(ErrorKind::input, {"a.pnm", "cut short"}, [&] { read_pnm(file); });
  }
  CHECK(read_pnm("P1 3 1 101").bytes.size() == 3);  // digits need no blanks between them
  CHECK(read_pnm("P2 2 1 9 1 2").bytes.size() == 2);
  CHECK(read_pnm("P4 9 1 ab").bytes.size() == 9);
}

TEST_CASE("a netpbm file that is not what it says is refused") {
  const auto fails = [](const std::string& file, const std::string& says) {
    INFO(file);
    check_fails(ErrorKind::input, {"a.pnm", says}, [&] { read_pnm(file); });
  };
  for (const char* kind : {"P1", "P2", "P3", "P4", "P5", "P6"}) {
    fails(std::string(kind) + " 30000 30000 255\n", "30000 x 30000");
    fails(std::string(kind) + " 16 16 1 1", "cut short");
    fails(std::string(kind) + " -2 2 255 1111", "width is no number");
    fails(std::string(kind) + " 99999999999 2 255 1111", "width is no number");
    fails(std::string(kind) + " 2 ", "cut short");
    fails(std::string(kind) + " 0 2 255 1111", "0 x 2");
  }
  fails("P5 1 1 0 a", "1 to 65535");
  fails("P5 1 1 65536 ab", "1 to 65535");
  fails("P5 1 1 9 a", "sample of 97");
  fails("P3 1 1 9 1 2 10", "sample of 10");
  fails("P2 1 1 9 x", "no number");
  fails("P1 2 1 12", "no number");
  fails("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE CMYK\nENDHDR\nabcd", "\"CMYK\"");
  fails("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 5\nMAXVAL 255\nENDHDR\nabcde", "5 channels");
  fails("P7\nWIDTH 1\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nCOLOUR red\nENDHDR\na", "\"COLOUR\"");
  fails("P7\nWIDTH 1x\nHEIGHT 1\nDEPTH 1\nMAXVAL 255\nENDHDR\na", "WIDTH is no number");
  fails("P7\nWIDTH 1\n", "cut short");
}
