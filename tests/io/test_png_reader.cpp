#include <catch2/catch.hpp>
#include <string>
#include <vector>
#include <zlib.h>

#include "io/picture/png.hpp"
#include "support.hpp"

using namespace lapis::io;
using namespace lapis::io::test;
using lapis::ErrorKind;

namespace {

PictureTexts png_texts(const std::string& png) { return read_png_text(as_bytes(png), "a.png"); }

void check_png_refused(const std::string& png, const std::string& reason) {
  check_fails(ErrorKind::input, {"a.png", reason}, [&] { png_texts(png); });
}

std::string u32(std::size_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift);
  return text;
}

std::string chunk(const std::string& type, const std::string& data) {
  const std::string checked = type + data;
  return u32(data.size()) + checked + u32(crc32_z(0, reinterpret_cast<const Bytef*>(checked.data()), checked.size()));
}

std::string header(std::size_t width, std::size_t height, char bit_depth) {
  return chunk("IHDR", u32(width) + u32(height) + bit_depth + std::string("\2\0\0\0", 4));
}

std::string text_of(const std::string& key, const std::string& rest) { return key + '\0' + rest; }

/// A PNG whose pixels nobody looks at.
std::string png_of(const std::string& head, const std::string& texts) {
  return "\x89PNG\r\n\x1a\n" + head + texts + chunk("IDAT", "x") + chunk("IEND", "");
}

std::string repeated(const std::string& text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

std::string zlib_stream(const std::string& text) {
  uLongf size = compressBound(text.size());
  std::string packed(size, ' ');
  REQUIRE(compress2(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(text.data()),
                    text.size(), 1) == Z_OK);
  packed.resize(size);
  return packed;
}

}  // namespace

TEST_CASE("every kind of text chunk that Pillow writes is read") {
  const PictureTexts facts = read_png_text(data_file("pillow_text.png"));
  CHECK(facts.width == 5);
  CHECK(facts.height == 3);
  CHECK(facts.bit_depth == 8);
  CHECK(facts.texts == std::vector<NamedText>{{"parameters", "a red house\nSteps: 20, Sampler: Euler"},
                                              {"Author", "Jürgen"},
                                              {"packed", std::string(500, 'x')},
                                              {"title", "人生"}});
}

TEST_CASE("a PNG cut anywhere is refused") {
  const std::string whole = read_text(data_file("pillow_text.png"));
  std::size_t refused = 0;
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto error = error_of([&] { png_texts(whole.substr(0, length)); });
    if (error && error->kind() == ErrorKind::input) ++refused;
  }
  CHECK(refused == whole.size());
}

TEST_CASE("a flipped bit anywhere in a PNG is found") {
  const std::string whole = read_text(data_file("pillow_text.png"));
  std::size_t found = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    if (error_of([&] { png_texts(damaged); })) ++found;
  }
  CHECK(found == whole.size());
}

TEST_CASE("a damaged PNG says so with its name") {
  const TemporaryFolder folder;
  write_text(folder / "a.png", "no picture at all");
  check_fails(ErrorKind::input, {"a.png", "damaged PNG or none"}, [&] { read_png_text(folder / "a.png"); });
  check_fails(ErrorKind::input, {"does not exist"}, [&] { read_png_text(folder / "b.png"); });
}

TEST_CASE("the text of a PNG is bounded") {
  const auto with_texts = [](int count) {
    return png_of(header(2, 2, 8), repeated(chunk("tEXt", text_of("k", "v")), count));
  };
  CHECK(png_texts(with_texts(256)).texts.size() == 256);
  check_png_refused(with_texts(257), "more than 256 texts");

  const auto packed = [](std::size_t size) {
    return chunk("zTXt", text_of("k", '\0' + zlib_stream(std::string(size, 'x'))));
  };
  CHECK(png_texts(png_of(header(2, 2, 8), packed(8'000'000))).texts[0].text.size() == 8'000'000);
  check_png_refused(png_of(header(2, 2, 8), packed(8'000'001)), "too long");
  check_png_refused(png_of(header(2, 2, 8), repeated(packed(6'000'000), 3)), "too long");
}

TEST_CASE("text chunks that break the standard are refused") {
  const auto refused = [](const std::string& type, const std::string& data, const std::string& reason) {
    check_png_refused(png_of(header(2, 2, 8), chunk(type, data)), reason);
  };
  refused("tEXt", "no end of the key", "is broken");
  refused("tEXt", text_of("", "v"), "no proper key");
  refused("tEXt", text_of(std::string(80, 'k'), "v"), "no proper key");
  refused("zTXt", text_of("k", ""), "is broken");
  refused("zTXt", text_of("k", "\1x"), "unknown way");
  refused("zTXt", text_of("k", std::string("\0damaged", 8)), "does not unpack");
  refused("iTXt", text_of("k", ""), "is broken");
  refused("iTXt", text_of("k", std::string("\0\0\0\0\xFF", 5)), "not UTF-8");
  refused("iTXt", text_of("k", std::string("\2\0\0\0x", 5)), "unknown way");
}

TEST_CASE("UTF-8 in a tEXt chunk is taken as such, other bytes as Latin-1") {
  const auto text = [](const std::string& bytes) {
    return png_texts(png_of(header(2, 2, 8), chunk("tEXt", text_of("k", bytes)))).texts.at(0).text;
  };
  CHECK(text("H\xC3\xA4uschen") == "Häuschen");
  CHECK(text("H\xE4uschen") == "Häuschen");
}

TEST_CASE("a header that cannot be true is refused") {
  CHECK(png_texts(png_of(header(65'535, 1, 16), "")).width == 65'535);
  check_png_refused(png_of(header(65'536, 1, 8), ""), "65536 x 1 pixels");
  check_png_refused(png_of(header(0, 1, 8), ""), "0 x 1 pixels");
  check_png_refused(png_of(header(1, 1, 3), ""), "3 bits");
  check_png_refused(png_of(chunk("tEXt", text_of("k", "v")), ""), "does not begin with a header");
  check_png_refused("\x89PNG\r\n\x1a\n" + header(1, 1, 8) + chunk("IEND", ""), "no pixels");
}
