#include <catch2/catch.hpp>
#include <cstdint>
#include <png.h>
#include <string>
#include <utility>
#include <vector>

#include "io/picture/png.hpp"
#include "support.hpp"

using namespace lapis::io;
using namespace lapis::io::test;
using lapis::ErrorKind;
using lapis::Image;

namespace {

Image drawing(int width, int height) {
  Image image{width, height, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const bool sun = (x - 20) * (x - 20) + (y - 10) * (y - 10) < 60;
      image.rgb.push_back(static_cast<std::uint8_t>(sun ? 250 : y * 3));
      image.rgb.push_back(static_cast<std::uint8_t>(sun ? 220 : x * 2));
      image.rgb.push_back(static_cast<std::uint8_t>(y > height / 2 ? 40 : 200));
    }
  }
  return image;
}

Image decode(const std::vector<std::byte>& bytes) {
  png_image reader{};
  reader.version = PNG_IMAGE_VERSION;
  REQUIRE(png_image_begin_read_from_memory(&reader, bytes.data(), bytes.size()) != 0);
  reader.format = PNG_FORMAT_RGB;
  Image image{static_cast<int>(reader.width), static_cast<int>(reader.height), {}};
  image.rgb.resize(PNG_IMAGE_SIZE(reader));
  REQUIRE(png_image_finish_read(&reader, nullptr, image.rgb.data(), 0, nullptr) != 0);
  return image;
}

PictureTexts written_and_read(const PngText& text) { return read_png_text(encode_png(drawing(8, 4), text), "a.png"); }

}  // namespace

TEST_CASE("the pixels of an encoded picture come back") {
  for (const auto& [width, height] : {std::pair{1, 1}, std::pair{7, 5}, std::pair{256, 64}}) {
    const Image image = drawing(width, height);
    const Image decoded = decode(encode_png(image, {}));
    CHECK(decoded.width == width);
    CHECK(decoded.height == height);
    CHECK(decoded.rgb == image.rgb);
  }
  Image other = drawing(7, 5);
  other.rgb[4] ^= 1U;
  CHECK(decode(encode_png(other, {})).rgb != drawing(7, 5).rgb);
}

TEST_CASE("the same input gives the same bytes, without a time stamp") {
  const PngText text{"a red house\nSteps: 20", R"({"seed":1})"};
  const auto bytes = encode_png(drawing(16, 16), text);
  CHECK(bytes == encode_png(drawing(16, 16), text));
  CHECK(bytes != encode_png(drawing(16, 16), {}));
  CHECK(as_text(bytes).find("tIME") == std::string::npos);
}

TEST_CASE("settings come back, and plain ASCII is a tEXt chunk") {
  const PictureTexts facts = written_and_read({"a red house\nSteps: 20", R"({"prompt":"猫"})"});
  CHECK(facts.width == 8);
  CHECK(facts.height == 4);
  CHECK(facts.bit_depth == 8);
  CHECK(facts.texts ==
        std::vector<NamedText>{{"parameters", "a red house\nSteps: 20"}, {"lapis", R"({"prompt":"猫"})"}});
  const std::string plain = as_text(encode_png(drawing(2, 2), {"plain", ""}));
  CHECK(plain.find("tEXt") != std::string::npos);
  CHECK(plain.find("iTXt") == std::string::npos);
}

TEST_CASE("text beyond ASCII is an iTXt chunk") {
  CHECK(written_and_read({"ein Häuschen 人生", ""}).texts ==
        std::vector<NamedText>{{"parameters", "ein Häuschen 人生"}});
  const std::string png = as_text(encode_png(drawing(2, 2), {"Häuschen", ""}));
  CHECK(png.find("tEXt") == std::string::npos);
  CHECK(png.find("iTXt") != std::string::npos);
}

TEST_CASE("empty settings write no chunk") { CHECK(written_and_read({}).texts.empty()); }

TEST_CASE("what cannot be stored is refused") {
  check_fails(ErrorKind::usage, {"UTF-8"}, [] { encode_png(drawing(2, 2), {"\xFF", ""}); });
  check_fails(ErrorKind::usage, {"UTF-8"}, [] { encode_png(drawing(2, 2), {"", std::string("a\0b", 3)}); });
  check_fails(ErrorKind::internal, {"3 x 2"}, [] { encode_png(Image{3, 2, std::vector<std::uint8_t>(17)}, {}); });
  check_fails(ErrorKind::internal, {"0 x 0"}, [] { encode_png(Image{}, {}); });
  check_fails(ErrorKind::internal, {"-1 x -1"}, [] { encode_png(Image{-1, -1, {0, 0, 0}}, {}); });
}
