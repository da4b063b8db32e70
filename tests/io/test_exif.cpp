#include <catch2/catch.hpp>
#include <string>

#include "io/exif.hpp"
#include "support.hpp"

using namespace lapis::io;
using namespace lapis::io::test;

namespace {

using namespace std::string_literals;

/// A TIFF header with one directory of one entry: orientation `value`.
std::string tiff(bool little, char value) {
  if (little) return "II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0"s + value + "\0\0\0\0\0\0\0"s;
  return "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0"s + value + "\0\0\0\0\0\0"s;
}

std::string jpeg(const std::string& exif) {
  const std::string body = "Exif\0\0"s + exif;
  return "\xFF\xD8\xFF\xE0\0\x04JF\xFF\xE1\0"s + static_cast<char>(body.size() + 2) + body + "\xFF\xD9";
}

int orientation(const std::string& file) { return exif_orientation(as_bytes(file)); }

}  // namespace

TEST_CASE("a JPEG's orientation is read in both byte orders, behind other segments") {
  for (char value = 1; value <= 8; ++value) {
    CHECK(orientation(jpeg(tiff(true, value))) == value);
    CHECK(orientation(jpeg(tiff(false, value))) == value);
  }
}

TEST_CASE("orientations that Exif does not know are none") {
  CHECK(orientation(jpeg(tiff(true, 0))) == 1);
  CHECK(orientation(jpeg(tiff(true, 9))) == 1);
  CHECK(orientation("") == 1);
  CHECK(orientation("GIF89a") == 1);
}

TEST_CASE("no byte cut off or changed makes the reader stumble") {
  for (const std::string& whole :
       {jpeg(tiff(true, 6)), jpeg(tiff(false, 6)), read_text(data_file("pictures/turned.png"))}) {
    CHECK(orientation(whole) == 6);
    for (std::size_t i = 0; i < whole.size(); ++i) {
      const int cut = orientation(whole.substr(0, i));
      CHECK((cut == 1 || cut == 6));
      std::string changed = whole;
      for (const char byte : {'\0', '\x7F', '\xFF'}) {
        changed[i] = byte;
        const int found = orientation(changed);
        CHECK((found >= 1 && found <= 8));
      }
    }
  }
}
