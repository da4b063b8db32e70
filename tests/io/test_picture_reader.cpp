// picture_reader.cpp and, behind it, stb_image.cpp.
#include <catch2/catch.hpp>
#include <filesystem>
#include <string>

#include "../pattern.hpp"
#include "io/picture/picture_reader.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;
using namespace lapis::io::test;

namespace {

struct ReadPicture {
  PictureFacts facts;
  core::Pixels pixels;
};

ReadPicture read_picture(const std::string& name) {
  const std::vector<std::byte> file = read_picture_file(data_file("pictures/" + name));
  ReadPicture result;
  result.facts = read_picture_facts(file, name);
  result.pixels = read_pixels(file, result.facts, name);
  return result;
}

ReadPicture read_bytes(const std::string& bytes, const std::string& name) {
  ReadPicture result;
  result.facts = read_picture_facts(as_bytes(bytes), name);
  result.pixels = read_pixels(as_bytes(bytes), result.facts, name);
  return result;
}

}  // namespace

TEST_CASE("pictures of every lossless kind are read to the bit") {
  for (const char* name : {"rgb.png", "rgb.bmp", "rgb.tga", "rgb.ppm", "turned.png"}) {
    INFO(name);
    CHECK(read_picture(name).pixels == lapis::test::pattern(13, 9, 3));
  }
  for (const char* name : {"grey.png", "grey.pgm"}) CHECK(read_picture(name).pixels == lapis::test::pattern(13, 9, 1));
  for (const char* name : {"rgba.png", "rgba.tga"}) CHECK(read_picture(name).pixels == lapis::test::pattern(13, 9, 4));
  CHECK(read_picture("la.png").pixels == lapis::test::pattern(13, 9, 2));
}

TEST_CASE("colours of a palette are looked up, a colour that is transparent is a hole") {
  const core::Pixels grey = lapis::test::pattern(13, 9, 1);
  CHECK(core::grey(read_picture("palette.png").pixels) == grey);
  CHECK(core::grey(core::flattened(read_picture("grey.gif").pixels, 255)) == grey);
  const core::Pixels hole = read_picture("palette_hole.png").pixels;
  CHECK(hole.channels == 2);
  CHECK(core::has_holes(hole));
}

TEST_CASE("16 bits are cut to their upper 8") {
  const ReadPicture found = read_picture("grey16.png");
  CHECK(found.facts.bits == 16);
  CHECK(found.pixels == lapis::test::pattern(13, 9, 1));
}

TEST_CASE("facts are known before the pixels are") {
  const ReadPicture found = read_picture("turned.jpg");
  CHECK(found.facts.format == "JPEG");
  CHECK(found.facts.width == 40);
  CHECK(found.facts.height == 24);
  CHECK(found.facts.orientation == 6);
  CHECK(found.facts.bits == 8);
  CHECK(read_picture("turned.png").facts.orientation == 6);
}

TEST_CASE("what is no picture is refused by its kind") {
  check_fails(ErrorKind::input, {"no.webp", "WebP"}, [] { read_picture("no.webp"); });
  check_fails(ErrorKind::input, {"no.tiff", "TIFF"}, [] { read_picture("no.tiff"); });
  check_fails(ErrorKind::input, {"a.png", "it begins \"hello wo\""}, [] { read_bytes("hello world", "a.png"); });
  check_fails(ErrorKind::input, {"does not exist"}, [] { read_picture("nothing.png"); });
}

TEST_CASE("a file cut short anywhere is refused") {
  for (const char* name : {"rgb.png", "rgb.bmp", "rgb.tga", "rgb.ppm", "grey.gif", "smooth.jpg", "progressive.jpg"}) {
    const std::string whole = read_text(data_file(std::string("pictures/") + name));
    // What comes behind the last pixel is not needed: the trailer of a GIF, the last checksum of a PNG, TGA's footer.
    const std::size_t needed = whole.size() - (std::string(name) == "rgb.tga" ? 26 : 2);
    for (std::size_t size = 0; size < needed; size += 1 + size / 64) {
      INFO(name << " cut to " << size << " of " << whole.size());
      check_fails(ErrorKind::input, {name}, [&] { read_bytes(whole.substr(0, size), name); });
    }
  }
}

TEST_CASE("no changed byte does worse than another picture or a refusal") {
  for (const char* name : {"rgb.png", "rgb.bmp", "rgba.tga", "rgb.ppm", "grey.gif", "smooth.jpg", "progressive.jpg"}) {
    const std::string whole = read_text(data_file(std::string("pictures/") + name));
    for (std::size_t i = 0; i < whole.size(); i += 1 + i / 128) {
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ 0x55);
      const std::optional<Error> error = error_of([&] { read_bytes(changed, name); });
      if (error) CHECK((error->kind() == ErrorKind::input || error->kind() == ErrorKind::device));
    }
  }
}

TEST_CASE("a picture that is huge is refused before its pixels are read") {
  std::string bomb = read_text(data_file("pictures/rgb.png"));
  bomb.replace(16, 8, std::string("\0\0\xC3\x50\0\0\xC3\x50", 8));  // 50000 x 50000
  bomb.replace(29, 4, "\xC4\xCD\xAA\x9D");
  check_fails(ErrorKind::input, {"50000 x 50000", "at most 600 MB", "smaller"}, [&] { read_bytes(bomb, "bomb.png"); });
  std::string line = "P6 70000 1 255\n";
  line.resize(line.size() + 210'000);
  check_fails(ErrorKind::input, {"70000 x 1", "65535"}, [&] { read_bytes(line, "line.ppm"); });
}

TEST_CASE("a checksum that is wrong is seen") {
  std::string damaged = read_text(data_file("pictures/rgb.png"));
  damaged[damaged.size() - 20] ^= 1;
  check_fails(ErrorKind::input, {"a.png", "checksum"}, [&] { read_bytes(damaged, "a.png"); });
}

TEST_CASE("the fuzzer's corpus of pictures is read") {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(lapis::test::folder() / "fuzz/corpus/picture")) {
    const std::string name = entry.path().filename();
    INFO(name);
    CHECK_FALSE(error_of([&] { read_bytes(read_text(entry.path()), name); }));
    ++count;
  }
  CHECK(count > 20);
}
