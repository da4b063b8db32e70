// stb_reader.cpp and, behind it, stb_image.cpp. The public holes of stb have their answers in docs/security.md.
#include <catch2/catch.hpp>
#include <string>

#include "io/picture/format_readers.hpp"
#include "picture_golden.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

std::string golden_picture(const std::string& name) { return read_text(data_file("pictures/golden/" + name)); }

void read(const std::string& file, const std::string& name) {
  const PictureFacts facts = read_picture_facts(as_bytes(file), name);
  read_pixels(as_bytes(file), facts, name);
}

std::string with(std::string file, std::size_t at, const std::string& bytes) {
  return file.replace(at, bytes.size(), bytes);
}

/// A TGA of 16 x 16 pixels: kind, palette entries, bits of a pixel, then what follows the header.
std::string tga(char kind, char colours, char bits, const std::string& rest) {
  const char indexed = colours != 0 ? 1 : 0;
  return std::string{0, indexed, kind, 0, 0, colours, 0, char(indexed * 24), 0, 0, 0, 0, 16, 0, 16, 0, bits, 0} + rest;
}

}  // namespace

TEST_CASE("BMPs and TGAs are read as Pillow reads them, to the bit") {
  check_golden("bmp");
  check_golden("tga");
}

TEST_CASE("a BMP of 5 and 6 bits a channel is widened as Pillow widens it, to the bit") {
  std::string file = "BM";
  for (const std::uint32_t word :
       {0U, 0U, 66U, 40U, 32U, 2U, 0x10'0001U, 3U, 0U, 0U, 0U, 0U, 0U, 0xF800U, 0x07E0U, 0x1FU}) {
    for (int shift = 0; shift < 32; shift += 8) file += static_cast<char>(word >> shift & 0xFFU);
  }
  for (int i = 0; i < 64; ++i) {  // green of every value, red and blue of half of them
    const int pixel = (i / 2) << 11 | i << 5 | i / 2;
    file += {static_cast<char>(pixel & 0xFF), static_cast<char>(pixel >> 8)};
  }
  const core::Pixels pixels = read_pixels(as_bytes(file), read_picture_facts(as_bytes(file), "a.bmp"), "a.bmp");
  REQUIRE(pixels.bytes.size() == std::size_t{64} * 3);
  for (int i = 0; i < 64; ++i) {
    const auto at = static_cast<std::size_t>((i + 32) % 64) * 3;  // the lower row comes first in the file
    CHECK(pixels.bytes[at] == i / 2 * 255 / 31);
    CHECK(pixels.bytes[at + 1] == i * 255 / 63);
    CHECK(pixels.bytes[at + 2] == i / 2 * 255 / 31);
  }
}

TEST_CASE("a BMP's pixel that its palette lacks is refused, for stb would show what lies on its stack") {
  const std::string file = golden_picture("bmp_palette.bmp");
  CHECK_FALSE(error_of([&] { read(file, "a.bmp"); }));
  // The same pixels behind a palette of one colour.
  const std::string header =
      with(with(file.substr(0, 58), 10, std::string("\x3A\0\0\0", 4)), 46, std::string("\1\0\0\0", 4));
  const std::string pixels =
      file.substr(static_cast<unsigned char>(file[10]) | static_cast<std::size_t>(file[11]) << 8U);
  check_fails(ErrorKind::input, {"a.bmp", "palette lacks"}, [&] { read(header + pixels, "a.bmp"); });
}

TEST_CASE("a BMP that stb does not read as it is meant is refused by its kind") {
  const std::string file = golden_picture("bmp_top_down.bmp");
  const auto fails = [&](std::size_t at, const std::string& bytes, const std::string& says) {
    INFO(says);
    check_fails(ErrorKind::input, {"a.bmp", says}, [&] { read(with(file, at, bytes), "a.bmp"); });
  };
  fails(14, std::string("\x0C\0\0\0", 4), "header of 12 bytes");
  fails(14, std::string("\x34\0\0\0", 4), "header of 52 bytes");
  fails(30, "\1", "compressed");
  fails(28, "\2", "2 bits a pixel");
  fails(30, "\3", "masks");
  const std::string masked =
      with(with(file, 10, "\x42"), 28, std::string("\x20\0\3", 3));  // the first pixels are masks
  check_fails(ErrorKind::input, {"a.bmp", "no bytes"}, [&] { read(masked, "a.bmp"); });
  fails(10, "\x10", "in its header");
  fails(22, std::string("\0\0\0\x80", 4), "no pixels");  // a height that has no positive twin
  fails(18, std::string("\0\0\0\x80", 4), "no pixels");
  fails(18, std::string("\xFF\xFF\0\0", 4), "cut short");
}

TEST_CASE("a TGA whose pixels are not all in the file is refused, for stb would show what lies on its heap") {
  const auto fails = [](const std::string& file, const std::string& says) {
    INFO(says);
    check_fails(ErrorKind::input, {"a.tga", says}, [&] { read(file, "a.tga"); });
  };
  const std::string palette(3, 'p');
  CHECK_FALSE(error_of([&] { read(tga(2, 0, 24, std::string(768, 'x')), "a.tga"); }));
  CHECK_FALSE(error_of([&] {
    read(tga(10, 0, 24,
             "\xFF"
             "abc\xFF"
             "abc"),
         "a.tga");
  }));
  CHECK_FALSE(error_of([&] { read(tga(9, 1, 8, palette + std::string("\xFF\0\xFF\0", 4)), "a.tga"); }));
  fails(tga(2, 0, 24, std::string(767, 'x')), "cut short");
  fails(tga(10, 0, 24,
            "\xFF"
            "abc\xFF"
            "ab"),
        "cut short");
  fails(tga(10, 0, 24,
            "\xFF"
            "abc\x7F"
            "abc"),
        "cut short");
  fails(tga(9, 1, 8, palette + std::string("\xFF\0\xFF\1", 4)), "palette lacks");
  fails(tga(1, 1, 8, palette + std::string(255, '\0') + "\1"), "palette lacks");
  fails(tga(1, 2, 8, palette), "cut short");
  fails(tga(1, 1, 24, palette), "indices of 24 bits");
  fails(tga(2, 0, 12, palette), "12 bits");
  fails(tga(5, 0, 24, palette), "kind 5");
  fails(with(tga(2, 0, 24, palette), 17, "\x40"), "interleaved");
  fails(with(tga(1, 1, 8, palette), 3, "\1"), "first colour");
  fails(with(tga(2, 0, 24, palette), 12, std::string("\0\0", 2)), "no pixels");
}

TEST_CASE("no other of stb's formats comes to it, under whatever name") {
  const std::string rest(400, '\x01');
  for (const std::string head : {"#?RADIANCE\n", "#?RGBE\n", "\x53\x80\xF6\x34", "8BPS"}) {
    for (const std::string name : {"a.tga", "a.bmp", "a.hdr"}) {
      check_fails(ErrorKind::input, {name}, [&] { read(head + rest, name); });
      check_fails(ErrorKind::input, {"BMP"}, [&] { read("BM" + head + rest, name); });
    }
  }
}
