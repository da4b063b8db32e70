#include <catch2/catch.hpp>
#include <string>

#include "io/picture/exif.hpp"
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

namespace {

/// A JPEG whose Exif directory holds one comment, in the order of bytes that "MM" says.
std::string commented(const std::string& code, const std::string& text) {
  const std::string comment = code + text;
  const std::string size{'\0', '\0', '\0', static_cast<char>(comment.size())};
  const std::string tiff = "MM\0*\0\0\0\x08"s + "\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x1A\0\0\0\0"s +
                           "\0\x01\x92\x86\0\x07"s + size + "\0\0\0\x2C\0\0\0\0"s + comment;
  return jpeg(tiff);
}

std::optional<std::string> comment_of(const std::string& file) { return exif_user_comment(as_bytes(file)); }

}  // namespace

TEST_CASE("settings in a JPEG's comment are read in every code that writers use") {
  CHECK(comment_of(commented("UNICODE\0"s, "\0a\0\xFC\x4E\xBA\xD8\x3C\xDF\x08\0b\0c"s)) ==
        "a\xC3\xBC\xE4\xBA\xBA\xF0\x9F\x8C\x88"
        "bc");
  CHECK(comment_of(commented("UNICODE\0"s, "a\0b\0"s)) == "ab");
  CHECK(comment_of(commented("ASCII\0\0\0"s, "a house\0"s)) == "a house");
  CHECK(comment_of(commented(std::string(8, '\0'), "f\xC3\xBCr")) == "f\xC3\xBCr");
  CHECK_FALSE(comment_of(commented("JIS\0\0\0\0\0"s, "a house")));
  CHECK_FALSE(comment_of(commented("ASCII\0\0\0"s, "\0"s)));
  CHECK_FALSE(comment_of(jpeg(tiff(true, 6))));
}

TEST_CASE("no byte cut off or changed makes the reader of comments stumble") {
  const std::string whole = commented("ASCII\0\0\0"s, "a house");
  REQUIRE(comment_of(whole) == "a house");
  for (std::size_t i = 0; i < whole.size(); ++i) {
    comment_of(whole.substr(0, i));
    std::string changed = whole;
    for (const char byte : {'\0', '\x7F', '\xFF'}) {
      changed[i] = byte;
      const std::optional<std::string> found = comment_of(changed);
      if (found) CHECK(found->size() <= 3 * whole.size());
    }
  }
}
