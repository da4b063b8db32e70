#include <catch2/catch.hpp>

#include "io/file/sha256.hpp"
#include "io/picture/pixels_digest.hpp"
#include "support.hpp"

using namespace lapis;
using namespace lapis::io;

TEST_CASE("the digest of pixels is that of a PPM, and has the size in it") {
  const Image image{2, 1, {65, 66, 67, 68, 69, 70}};
  CHECK(pixels_sha256(image) == sha256(io::test::as_bytes("P6\n2 1\n255\nABCDEF")));
  CHECK(pixels_sha256(image) != pixels_sha256({1, 2, image.rgb}));
  Image other = image;
  other.rgb[5] ^= 1;
  CHECK(pixels_sha256(image) != pixels_sha256(other));
}
