#include <catch2/catch.hpp>
#include <string>

#include "io/picture/format_readers.hpp"
#include "picture_golden.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

std::string golden_jpeg(const std::string& name) { return read_text(data_file("pictures/golden/jpeg_" + name)); }

void read_jpeg(const std::string& file) {
  const PictureFacts facts = read_picture_facts(as_bytes(file), "a.jpg");
  read_pixels(as_bytes(file), facts, "a.jpg");
}

/// The offset of a marker's segment behind `from`, from its 0xFF on.
std::size_t find_marker(const std::string& file, char marker, std::size_t from = 0) {
  const std::size_t at = file.find(std::string{'\xFF', marker}, from);
  REQUIRE(at != std::string::npos);
  return at;
}

/// The file with another kind of frame, or another number of bits.
std::string with_frame(std::string file, char marker, char bits = 8) {
  const std::size_t at = find_marker(file, '\xC0');
  file[at + 1] = marker;
  file[at + 4] = bits;
  return file;
}

/// A progressive file of 37 x 29 pixels without subsampling, whose AC coefficients, all 0, have a scan each.
std::string with_a_scan_each(const std::string& file) {
  const std::string end_of_block{"\xFF\xC4\0\x14\x10\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22};
  std::string result = file.substr(0, find_marker(file, '\xC4', find_marker(file, '\xDA'))) + end_of_block;
  for (char part = 1; part <= 3; ++part) {
    for (char k = 1; k <= 63; ++k) {
      result += std::string{"\xFF\xDA\0\x08\x01", 5} + part + '\0' + k + k + std::string{"\0\0\0\x0F", 4};
    }
  }
  return result + "\xFF\xD9";
}

}  // namespace

TEST_CASE("a JPEG of any sampling, coding, colour and size is read as Pillow reads it, to the bit") {
  check_golden("jpeg");
}

TEST_CASE("a JPEG of a kind that is not read is refused by the kind's name") {
  const std::string file = golden_jpeg("420.jpg");
  check_fails(ErrorKind::input, {"a.jpg", "lossless coding", "PNG"}, [&] { read_jpeg(with_frame(file, '\xC3')); });
  check_fails(ErrorKind::input, {"hierarchical coding"}, [&] { read_jpeg(with_frame(file, '\xC5')); });
  for (const char marker : {'\xC9', '\xCA', '\xCB', '\xCD'}) {
    check_fails(ErrorKind::input, {"arithmetic coding"}, [&] { read_jpeg(with_frame(file, marker)); });
  }
  check_fails(ErrorKind::input, {"12 bits a channel"}, [&] { read_jpeg(with_frame(file, '\xC1', 12)); });
  CHECK_FALSE(error_of([&] { read_jpeg(with_frame(file, '\xC1')); }));
}

TEST_CASE("a Huffman table whose counts are more than there are codes is refused") {
  const std::string file = golden_jpeg("444.jpg");
  std::size_t tables = 0;
  for (std::size_t at = file.find("\xFF\xC4"); at != std::string::npos; at = file.find("\xFF\xC4", at + 2)) {
    for (std::size_t length = 0; length < 16; ++length) {
      std::string changed = file;
      changed[at + 5 + length] = '\xFF';
      check_fails(ErrorKind::input, {"a.jpg is a damaged JPEG"}, [&] { read_jpeg(changed); });
    }
    ++tables;
  }
  CHECK(tables == 4);
}

TEST_CASE("what libjpeg makes up with a warning is refused as damage") {
  for (const char* name : {"420.jpg", "restart.jpg", "444_progressive.jpg", "cmyk.jpg"}) {
    const std::string file = golden_jpeg(name);
    for (std::size_t size = 0; size < file.size(); size += 1 + size / 32) {
      INFO(name << " cut to " << size);
      check_fails(ErrorKind::input, {"a.jpg"}, [&] { read_jpeg(file.substr(0, size)); });
      check_fails(ErrorKind::input, {"a.jpg"}, [&] { read_jpeg(file.substr(0, size) + "\xFF\xD9"); });
    }
  }
}

TEST_CASE("a few bytes behind the pixels are a camera's, many are damage") {
  const std::string file = golden_jpeg("420.jpg");
  const std::string pixels = file.substr(0, file.size() - 2);
  CHECK_FALSE(error_of([&] { read_jpeg(pixels + std::string(2, '\0') + "\xFF\xD9"); }));
  check_fails(ErrorKind::input, {"extraneous"}, [&] { read_jpeg(pixels + std::string(1000, '\0') + "\xFF\xD9"); });
  CHECK_FALSE(error_of([&] { read_jpeg(file + "what other programs append"); }));
}

TEST_CASE("a JPEG with more scans than any encoder makes is refused") {
  check_fails(ErrorKind::input, {"100 scans"}, [] { read_jpeg(with_a_scan_each(golden_jpeg("444_progressive.jpg"))); });
}

TEST_CASE("a small JPEG that claims a huge picture is refused from its header") {
  std::string file = golden_jpeg("420.jpg");
  file.replace(find_marker(file, '\xC0') + 5, 4, "\xFF\xDC\xFF\xDC");  // 65500 x 65500
  check_fails(ErrorKind::input, {"65500 x 65500", "at most 600 MB"}, [&] { read_jpeg(file); });
  std::string progressive = golden_jpeg("444_progressive.jpg");
  progressive.replace(find_marker(progressive, '\xC2') + 5, 4,
                      "\x27\x10\x27\x10");  // 10000 x 10000, 600 MB of coefficients
  check_fails(ErrorKind::input, {"10000 x 10000", "900 MB"}, [&] { read_jpeg(progressive); });
  CHECK(read_picture_facts(as_bytes(progressive), "a.jpg").width == 10000);  // which inspect shows
}
