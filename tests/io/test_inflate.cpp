#include <catch2/catch.hpp>
#include <string>
#include <zlib.h>

#include "io/file/inflate.hpp"

using namespace lapis::io;

namespace {

std::string deflated(const std::string& text, int window = -MAX_WBITS) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 9, Z_DEFLATED, window, 9, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string packed(text.size() + 100, '\0');
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace

TEST_CASE("what zlib packed comes back") {
  const std::string text(10'000, 'a');
  CHECK(inflated(deflated(text), text.size()) == text);
  CHECK(inflated(deflated(""), 0) == "");
}

TEST_CASE("another size than recorded, a cut or a damaged stream give nothing") {
  const std::string packed = deflated("a lakeside at sunset, a lakeside at dawn");
  CHECK(inflated(packed, 40));
  CHECK_FALSE(inflated(packed, 39));
  CHECK_FALSE(inflated(packed, 41));
  for (std::size_t length = 0; length < packed.size(); ++length) CHECK_FALSE(inflated(packed.substr(0, length), 40));
  CHECK_FALSE(inflated("\xff\xff\xff", 40));
}

TEST_CASE("a zlib stream unpacks to its end within the limit, and to nothing else") {
  const std::string text(100'000, 'a');
  const std::string packed = deflated(text, MAX_WBITS);
  CHECK(inflated_zlib(packed, text.size()) == text);
  CHECK_FALSE(inflated_zlib(packed, text.size() - 1));
  for (std::size_t length = 0; length < packed.size(); ++length) {
    CHECK_FALSE(inflated_zlib(packed.substr(0, length), text.size()));
  }
  CHECK_FALSE(inflated_zlib(deflated(text), text.size()));
}
