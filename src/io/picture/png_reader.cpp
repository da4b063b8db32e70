#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <zlib.h>

#include "core/text/sentence.hpp"
#include "core/text/unicode.hpp"
#include "io/file/file_kinds.hpp"
#include "io/file/inflate.hpp"
#include "io/file/mapped_file.hpp"
#include "io/file/text.hpp"
#include "io/picture/picture_facts.hpp"
#include "io/picture/png.hpp"
#include "lapis/error.hpp"

// libpng can only reach the text behind the pixels by unpacking the pixels, so the chunks are walked here.

namespace lapis::io {

namespace {

constexpr std::size_t chunk_frame = 12;  // length, type and checksum
constexpr std::size_t longest_key = 79;
constexpr std::size_t longest_text = 8'000'000;
constexpr std::size_t longest_text_in_all = 16'000'000;
constexpr std::size_t most_texts = 256;

struct Chunk {
  std::string_view type;
  std::string_view data;
};

std::uint32_t read_u32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char c : bytes.substr(0, 4)) value = (value << 8U) | static_cast<unsigned char>(c);
  return value;
}

class PngReader {
 public:
  PngReader(std::string_view file, const std::string& name) : rest_(file), name_(name) {}

  PictureTexts read() {
    if (!rest_.starts_with(png_signature)) fail("it does not begin as a PNG does");
    rest_.remove_prefix(png_signature.size());
    read_header(next_chunk());
    bool has_pixels = false;
    for (Chunk chunk = next_chunk(); chunk.type != "IEND"; chunk = next_chunk()) {
      if (chunk.type == "IDAT") has_pixels = true;
      if (chunk.type == "tEXt") add(read_latin1(chunk.data));
      if (chunk.type == "zTXt") add(read_packed_latin1(chunk.data));
      if (chunk.type == "iTXt") add(read_international(chunk.data));
    }
    if (!has_pixels) fail("it has no pixels");
    return std::move(facts_);
  }

 private:
  /// `reason` is a clause without a full stop, with places for `values`.
  template <typename... Values>
  [[noreturn]] void fail(std::type_identity_t<core::SentenceText<sizeof...(Values)>> reason,
                         const Values&... values) const {
    throw Error(ErrorKind::input,
                core::sentence("{} is a damaged PNG or none: {}.", name_, core::sentence(reason, values...)),
                "Give another file.");
  }

  Chunk next_chunk() {
    if (rest_.size() < chunk_frame) fail("it is cut short");
    const std::size_t length = read_u32(rest_);
    if (length > rest_.size() - chunk_frame) fail("it is cut short");
    const Chunk chunk{rest_.substr(4, 4), rest_.substr(8, length)};
    const std::string_view checked = rest_.substr(4, 4 + length);
    const auto checksum = crc32_z(0, reinterpret_cast<const Bytef*>(checked.data()), checked.size());
    if (checksum != read_u32(rest_.substr(8 + length))) {
      fail("the checksum of its chunk {} is wrong", in_quotes(chunk.type));
    }
    rest_.remove_prefix(chunk_frame + length);
    return chunk;
  }

  void read_header(const Chunk& chunk) {
    if (chunk.type != "IHDR" || chunk.data.size() != 13) fail("it does not begin with a header");
    const std::uint32_t width = read_u32(chunk.data);
    const std::uint32_t height = read_u32(chunk.data.substr(4));
    if (width == 0 || height == 0 || width > largest_side || height > largest_side) {
      fail("it claims {} x {} pixels", width, height);
    }
    facts_.width = static_cast<int>(width);
    facts_.height = static_cast<int>(height);
    facts_.bit_depth = static_cast<unsigned char>(chunk.data[8]);
    const bool known = facts_.bit_depth == 1 || facts_.bit_depth == 2 || facts_.bit_depth == 4 ||
                       facts_.bit_depth == 8 || facts_.bit_depth == 16;
    if (!known) fail("it claims {} bits a channel", facts_.bit_depth);
  }

  void add(NamedText chunk) {
    if (facts_.texts.size() == most_texts) fail("it has more than {} texts", most_texts);
    text_in_all_ += chunk.text.size();
    if (chunk.text.size() > longest_text || text_in_all_ > longest_text_in_all) {
      fail("its text {} is too long", in_quotes(chunk.key));
    }
    facts_.texts.push_back(std::move(chunk));
  }

  /// Takes the text before the next NUL, and the NUL, off `data`.
  std::string_view take_field(std::string_view& data) const {
    const std::size_t end = data.find('\0');
    if (end == std::string_view::npos) fail("one of its texts is broken");
    const std::string_view field = data.substr(0, end);
    data.remove_prefix(end + 1);
    return field;
  }

  std::string take_key(std::string_view& data) const {
    const std::string_view key = take_field(data);
    if (key.empty() || key.size() > longest_key) fail("one of its texts has no proper key");
    return utf8_from_latin1(key);
  }

  char take_byte(std::string_view& data) const {
    if (data.empty()) fail("one of its texts is broken");
    const char byte = data.front();
    data.remove_prefix(1);
    return byte;
  }

  std::string unpack(const std::string& key, std::string_view packed) const {
    std::optional<std::string> text = inflated_zlib(packed, longest_text);
    if (!text) fail("its text {} does not unpack, or is too long", in_quotes(key));
    return std::move(*text);
  }

  NamedText read_latin1(std::string_view data) const {
    std::string key = take_key(data);
    return {std::move(key), utf8_or_latin1(data)};
  }

  NamedText read_packed_latin1(std::string_view data) const {
    std::string key = take_key(data);
    if (take_byte(data) != 0) fail("its text {} is packed in an unknown way", in_quotes(key));
    std::string text = utf8_or_latin1(unpack(key, data));
    return {std::move(key), std::move(text)};
  }

  NamedText read_international(std::string_view data) const {
    std::string key = take_key(data);
    const char packed = take_byte(data);
    const char method = take_byte(data);
    take_field(data);  // language
    take_field(data);  // the key in that language
    if (packed != 0 && (packed != 1 || method != 0)) fail("its text {} is packed in an unknown way", in_quotes(key));
    std::string text = packed == 0 ? std::string(data) : unpack(key, data);
    if (core::first_bad_utf8(text)) fail("its text {} is not UTF-8", in_quotes(key));
    return {std::move(key), std::move(text)};
  }

  std::string_view rest_;
  const std::string& name_;
  PictureTexts facts_;
  std::size_t text_in_all_ = 0;
};

}  // namespace

bool is_png(std::span<const std::byte> bytes) { return as_chars(bytes).starts_with(png_signature); }

PictureTexts read_png_text(const std::filesystem::path& path) {
  return read_png_text(MappedFile(path, ErrorKind::input).bytes(), path.string());
}

PictureTexts read_png_text(std::span<const std::byte> png, const std::string& name) {
  return PngReader(as_chars(png), name).read();
}

}  // namespace lapis::io
