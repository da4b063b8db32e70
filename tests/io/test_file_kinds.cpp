#include <catch2/catch.hpp>
#include <string>

#include "io/file/file_kinds.hpp"
#include "support.hpp"

using namespace lapis::io;
using namespace lapis::io::test;

namespace {

std::string kind_of(const std::string& bytes) {
  const FileKind* kind = find_file_kind(as_bytes(bytes));
  return kind == nullptr ? "" : std::string(kind->name);
}

}  // namespace

TEST_CASE("files are told apart by how they begin") {
  CHECK(kind_of("\xFF\xD8\xFF\xE0") == "JPEG");
  CHECK(kind_of("\x89PNG\r\n\x1a\n") == "PNG");
  CHECK(kind_of("RIFF....WEBPVP8 ") == "WebP");
  CHECK(kind_of(std::string("PK\x03\x04", 4)) == "ZIP");
  CHECK(kind_of("RIFF....WAVE") == "");
  CHECK(kind_of("") == "");
  CHECK(find_file_kind(as_bytes("P6 1 1 255 "))->readable);
  CHECK_FALSE(find_file_kind(as_bytes("%PDF-1.7"))->picture);
}

TEST_CASE("a pickle is told by its protocol") {
  CHECK(begins_as_pickle(as_bytes("\x80\x02}")));
  CHECK(begins_as_pickle(as_bytes("\x80\x05")));
  for (const char* other : {"", "\x80", "\x80\x01", "\x80\x06", "}\x02"})
    CHECK_FALSE(begins_as_pickle(as_bytes(other)));
}

TEST_CASE("a safetensors file whose length spells a mark is no picture") {
  const std::string bitmap = std::string("BM\0\0\0\0\0\0", 8);
  CHECK(kind_of(bitmap + "{\"a\"") == "");
  CHECK(begins_as_safetensors(as_bytes(bitmap + "{\"a\"")));
  CHECK(kind_of(bitmap + "bitmap") == "BMP");
  CHECK_FALSE(begins_as_safetensors(as_bytes(bitmap)));
  CHECK_FALSE(begins_as_safetensors(as_bytes(std::string("BM\0\0\0\0\0\x01{", 9))));
}
