#include <array>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <zlib.h>

#include "core/text/unicode.hpp"
#include "io/file/mapped_file.hpp"
#include "io/picture/png.hpp"
#include "io/file/text.hpp"
#include "lapis/error.hpp"

// libpng can only reach the text behind the pixels by unpacking the pixels, so the chunks are walked here.

namespace lapis::io {

namespace {

constexpr std::string_view signature = "\x89PNG\r\n\x1a\n";
constexpr std::size_t chunk_frame = 12;  // length, type and checksum
constexpr std::uint32_t largest_side = 65'535;
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

/// Owns zlib's state of one stream.
class Inflater {
 public:
  Inflater() {
    if (inflateInit(&stream_) != Z_OK) throw std::bad_alloc();  // nothing else can fail here
  }
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// What `packed` unpacks to; none if it is damaged or longer than `limit`.
  std::optional<std::string> unpack(std::string_view packed, std::size_t limit) {
    // zlib takes a pointer to input it does not change, but does not say const.
    stream_.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(packed.data()));
    stream_.avail_in = static_cast<uInt>(packed.size());
    std::string text;
    std::array<char, 16'384> piece{};
    while (true) {
      stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream_.avail_out = static_cast<uInt>(piece.size());
      const int status = inflate(&stream_, Z_NO_FLUSH);
      if (status == Z_MEM_ERROR) throw std::bad_alloc();
      if (status != Z_OK && status != Z_STREAM_END) return std::nullopt;
      text.append(piece.data(), piece.size() - stream_.avail_out);
      if (text.size() > limit) return std::nullopt;
      if (status == Z_STREAM_END) return text;
    }
  }

 private:
  z_stream stream_{};
};

class PngReader {
 public:
  PngReader(std::string_view file, const std::string& name) : rest_(file), name_(name) {}

  PngFacts read() {
    if (!rest_.starts_with(signature)) fail("it does not begin as a PNG does");
    rest_.remove_prefix(signature.size());
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
  [[noreturn]] void fail(const std::string& reason) const {
    throw Error(ErrorKind::input, name_ + " is a damaged PNG or none: " + reason + ".", "Give another file.");
  }

  Chunk next_chunk() {
    if (rest_.size() < chunk_frame) fail("it is cut short");
    const std::size_t length = read_u32(rest_);
    if (length > rest_.size() - chunk_frame) fail("it is cut short");
    const Chunk chunk{rest_.substr(4, 4), rest_.substr(8, length)};
    const std::string_view checked = rest_.substr(4, 4 + length);
    const auto checksum = crc32_z(0, reinterpret_cast<const Bytef*>(checked.data()), checked.size());
    if (checksum != read_u32(rest_.substr(8 + length))) {
      fail("the checksum of its chunk " + in_quotes(chunk.type) + " is wrong");
    }
    rest_.remove_prefix(chunk_frame + length);
    return chunk;
  }

  void read_header(const Chunk& chunk) {
    if (chunk.type != "IHDR" || chunk.data.size() != 13) fail("it does not begin with a header");
    const std::uint32_t width = read_u32(chunk.data);
    const std::uint32_t height = read_u32(chunk.data.substr(4));
    if (width == 0 || height == 0 || width > largest_side || height > largest_side) {
      fail("it claims " + std::to_string(width) + " x " + std::to_string(height) + " pixels");
    }
    facts_.width = static_cast<int>(width);
    facts_.height = static_cast<int>(height);
    facts_.bit_depth = static_cast<unsigned char>(chunk.data[8]);
    const bool known = facts_.bit_depth == 1 || facts_.bit_depth == 2 || facts_.bit_depth == 4 ||
                       facts_.bit_depth == 8 || facts_.bit_depth == 16;
    if (!known) fail("it claims " + std::to_string(facts_.bit_depth) + " bits a channel");
  }

  void add(PngTextChunk chunk) {
    if (facts_.texts.size() == most_texts) fail("it has more than " + std::to_string(most_texts) + " texts");
    text_in_all_ += chunk.text.size();
    if (chunk.text.size() > longest_text || text_in_all_ > longest_text_in_all) {
      fail("its text " + in_quotes(chunk.key) + " is too long");
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
    std::optional<std::string> text = Inflater().unpack(packed, longest_text);
    if (!text) fail("its text " + in_quotes(key) + " does not unpack, or is too long");
    return std::move(*text);
  }

  static std::string as_utf8(std::string_view text) {
    return core::first_bad_utf8(text) ? utf8_from_latin1(text) : std::string(text);
  }

  PngTextChunk read_latin1(std::string_view data) const {
    std::string key = take_key(data);
    return {std::move(key), as_utf8(data)};
  }

  PngTextChunk read_packed_latin1(std::string_view data) const {
    std::string key = take_key(data);
    if (take_byte(data) != 0) fail("its text " + in_quotes(key) + " is packed in an unknown way");
    std::string text = as_utf8(unpack(key, data));
    return {std::move(key), std::move(text)};
  }

  PngTextChunk read_international(std::string_view data) const {
    std::string key = take_key(data);
    const char packed = take_byte(data);
    const char method = take_byte(data);
    take_field(data);  // language
    take_field(data);  // the key in that language
    if (packed != 0 && (packed != 1 || method != 0))
      fail("its text " + in_quotes(key) + " is packed in an unknown way");
    std::string text = packed == 0 ? std::string(data) : unpack(key, data);
    if (core::first_bad_utf8(text)) fail("its text " + in_quotes(key) + " is not UTF-8");
    return {std::move(key), std::move(text)};
  }

  std::string_view rest_;
  const std::string& name_;
  PngFacts facts_;
  std::size_t text_in_all_ = 0;
};

}  // namespace

bool is_png(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return text.starts_with(signature);
}

PngFacts read_png_text(const std::filesystem::path& path) {
  return read_png_text(MappedFile(path, ErrorKind::input).bytes(), path.string());
}

PngFacts read_png_text(std::span<const std::byte> png, const std::string& name) {
  return PngReader({reinterpret_cast<const char*>(png.data()), png.size()}, name).read();
}

}  // namespace lapis::io
